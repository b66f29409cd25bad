"""Hides what is nobody's business: fields named in the settings, wherever they stand. Pure."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, Self

from odoorway.model.delivery import Attempt, Delivery
from odoorway.model.event import Event
from odoorway.outside import Unreadable, read_exactly, read_json, storable

HIDDEN: Final = "•••"
_HEAD: Final = 8  # characters by which a value is found; a message may have cut it anywhere after
_SHORTEST, _FEWEST_DIGITS = 2, 4  # a value that is shorter is in every text
_INDENTED, _SHALLOW = 256 << 10, 20  # bytes and depth of a body that is shown in lines
_MOST: Final = 5_000  # values of one payload that are looked for
_LINE: Final = re.compile(r"([^\s:]+): (.*)")  # of a message about a payload: path, what is wrong
_TELLS_NOTHING: Final = re.compile(r"Input should [^(]*|Field required|Extra inputs [^(]*")


def masked(value: Any, names: Collection[str]) -> Any:
    """Return *value* with every field of those *names* hidden, whatever its case."""
    wanted = {name.lower() for name in names}
    match value:
        case dict():
            return {
                key: HIDDEN if str(key).lower() in wanted else masked(inner, names)
                for key, inner in value.items()
            }
        case list():
            return [masked(inner, names) for inner in value]
    return value


def shown_body(body: bytes, names: Collection[str], *, pretty: bool = True) -> str:
    """Return a body as text, masked; what is no JSON is hidden whole when anything is masked.

    So is what is nested too deep to be looked through. One that is large or deep is not indented.
    """
    if not pretty and not names:
        return body.decode(errors="replace")
    try:
        value = masked(read_exactly(body), names)
    except Unreadable:
        return HIDDEN if names and body else body.decode(errors="replace")
    indent = 2 if pretty and _is_plain(body) else None
    return json.dumps(value, indent=indent, ensure_ascii=False)


def _is_plain(body: bytes) -> bool:
    """Tell whether it stays about as large when it is indented."""
    try:
        read_json(body, depth=_SHALLOW)
    except Unreadable:
        return False
    return len(body) <= _INDENTED


@dataclass(frozen=True, slots=True)
class Mask:
    """Hides the named fields of one payload in whatever is told about it.

    Validation, handlers and Odoo quote in their messages what they were given, and handlers write
    it into fields of other names; so the values that stand in named fields are looked for too.
    """

    names: frozenset[str] = frozenset()  # in lower case
    values: tuple[str, ...] = ()  # folded, the longest first

    @classmethod
    def of(cls, names: Collection[str], body: bytes) -> Self:
        """Return what hides those *names* of *body*; nothing where none are named."""
        if not names:
            return cls()
        wanted = frozenset(name.lower() for name in names)
        try:
            values = {*islice(_values(read_exactly(body), wanted, hidden=False), _MOST)}
        except Unreadable:
            values = set()
        return cls(wanted, tuple(sorted(map(_folded, values), key=len, reverse=True)))

    def text(self, text: str) -> str:
        """Return a message without what it quotes of the named fields."""
        if not self.names:
            return text
        text = "\n".join(map(self._line, text.split("\n")))
        for value in self.values:
            text = _without(text, value)
        return text

    def commands(self, text: str) -> str:
        """Return commands as people read them; those that were cut are hidden whole."""
        return self.text(shown_body(storable(text).encode(), self.names)) if text else ""

    def event(self, event: Event) -> Event:
        """Return *event* with the fields of its body hidden."""
        if not self.names:
            return event
        return replace(event, body=shown_body(event.body, self.names, pretty=False).encode())

    def delivery(self, delivery: Delivery) -> Delivery:
        """Return *delivery* with its detail masked."""
        return replace(delivery, detail=self.text(delivery.detail)) if self.names else delivery

    def attempt(self, attempt: Attempt) -> Attempt:
        """Return *attempt* with its detail and commands masked."""
        if not self.names:
            return attempt
        commands = self.commands(attempt.commands)
        return replace(attempt, detail=self.text(attempt.detail), commands=commands)

    def _line(self, line: str) -> str:
        """Hide what a line says of a named field, but for words that hold nothing of it."""
        found = _LINE.fullmatch(line)
        if not found or self.names.isdisjoint(re.split(r"[.\[\]]", found[1].lower())):
            return line
        told = _TELLS_NOTHING.match(found[2])
        return f"{found[1]}: {f'{told[0].rstrip()} (got {HIDDEN})' if told else HIDDEN}"


def _values(value: Any, names: frozenset[str], *, hidden: bool) -> Iterator[str]:
    """Yield what stands in named fields, each also as Python and JSON write it in a text."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _values(inner, names, hidden=hidden or str(key).lower() in names)
        case list():
            for inner in value:
                yield from _values(inner, names, hidden=hidden)
        case str() if hidden and len(value.strip()) >= _SHORTEST:
            for text in (value, value.strip()):
                yield text
                yield from (one[1:-1] for one in (repr(text), json.dumps(text)))
        case int() | float() if hidden and len(str(value)) >= _FEWEST_DIGITS:
            yield str(value)  # True, too, though nobody masks what is true or false


def _without(text: str, value: str) -> str:
    """Return *text* without *value*, and without the beginning of it where it was cut."""
    folded, head = _folded(text), value[:_HEAD]
    kept, done, at = [], 0, folded.find(head)
    while at >= 0:
        end = at + _alike(folded[at:], value)
        if _is_it(text, at, end, value):
            kept += [text[done:at], HIDDEN]
            done = end
        at = folded.find(head, end)
    return "".join([*kept, text[done:]])


def _alike(text: str, value: str) -> int:
    """Return how many characters of *text* are those of *value*."""
    pairs = zip(text, value, strict=False)
    shorter = min(len(text), len(value))
    return next((n for n, (one, other) in enumerate(pairs) if one != other), shorter)


def _is_it(text: str, start: int, end: int, value: str) -> bool:
    """Tell whether *value* stands there: whole, cut, or, when it is short, as a word of its own."""
    if end - start < len(value):
        return text[end : end + 1] in {"", "…"}
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    return len(value) >= _HEAD or not any(map(str.isalnum, around))


def _folded(text: str) -> str:
    """Return *text* in lower case, character by character, so that positions stay."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(one if len(one.lower()) > 1 else one.lower() for one in text)
