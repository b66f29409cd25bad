"""What makes two incidents the same: the exception's type and the addon's frames.

Line numbers, ids, times and quoted values change from one to the next and are left out.
"""

import hashlib
import re
from dataclasses import dataclass
from itertools import islice

_SHOWN = 400  # characters of a message that are kept
_FRAMES = 400  # frames of a traceback that are looked at
_FRAME = re.compile(
    r'^ {0,8}File:? "(?P<path>[^"\n]{1,400})", line (?P<line>\d{1,9}), in '
    r"(?P<function>[^\n]{1,200})"
    r"(?:\n {1,12}+(?!File)(?P<code>[^\n]{0,300}))?",
    re.MULTILINE,
)
_HEAD = "Traceback (most recent call last):"
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]{0,119})(?:: ?| - - -|$)", re.MULTILINE)
_CORE = re.compile(
    r"^(.{0,300}?)/odoo/(?:http|models|fields|api|sql_db|service|orm|tools|modules|addons/base)\b"
)
_LIBRARY = re.compile(r"/(?:site-packages|dist-packages|python/lib|lib/python[\d.]+|enterprise)/")
_ADDON = re.compile(r"/addons/(\w+)/")
_PLUMBING = {"auth_signup", "base", "base_automation", "http_routing", "utm", "web", "web_editor"}
_PLUMBING |= {"bus", "rpc", "website"}  # each request passes through them
_ENTRY = ("route_wrapper", "response_wrap")  # the controller's frame comes right after
_VOLATILE = re.compile(
    r"0x[0-9a-f]+|\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b|\d+"
    r"|'[^'\n]*[^'\n\w.][^'\n]*'|\"[^\"\n]*[^\"\n\w.][^\"\n]*\"",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a traceback."""

    path: str
    line: int
    function: str
    code: str

    @property
    def file(self) -> str:
        """The path from the addon's folder on, the same on every machine."""
        return "/".join(self.path.split("/")[-3:])


@dataclass(frozen=True, slots=True)
class LoggedFailure:
    """What a record's text says went wrong."""

    kind: str  # the exception's type, or the logger where there is no traceback
    message: str
    frames: tuple[Frame, ...]  # of the addon, outermost first

    @property
    def line(self) -> Frame | None:
        """The addon's line that failed."""
        return self.frames[-1] if self.frames else None

    @property
    def fingerprint(self) -> str:
        """A short name for all failures of this sort."""
        where = [f"{frame.file}:{frame.function}" for frame in self.frames]
        what = self.line.code if self.line else steady(self.message)
        told = "\0".join((self.kind, *where, what))
        return hashlib.sha256(told.encode(errors="replace")).hexdigest()[:10]


def read(text: str, logger: str) -> LoggedFailure:
    """Return what *text*, the message of a record of that *logger*, says went wrong."""
    frames = addon_frames(text)
    if _HEAD not in text:
        return LoggedFailure(logger, _sentence(text), frames)
    kind, message = _exception(text)
    return LoggedFailure(kind, message, frames)


def steady(message: str) -> str:
    """Return the message without numbers, ids and quoted values."""
    return _VOLATILE.sub("…", message)


def addon_frames(text: str) -> tuple[Frame, ...]:
    """Return the frames of the addon that failed, or of Odoo's own controller where none is."""
    frames = [_frame(found) for found in islice(_FRAME.finditer(text), _FRAMES)]
    roots = {found[1] for frame in frames if (found := _CORE.match(frame.path))}
    return tuple(f for f in frames if _is_own(f.path, roots)) or _of_odoo(frames)


def _frame(found: re.Match[str]) -> Frame:
    path = found["path"].replace("\\", "/")
    return Frame(path, int(found["line"]), found["function"], (found["code"] or "").strip())


def _is_own(path: str, roots: set[str]) -> bool:
    """Whether the file is neither Odoo's nor a library's; server actions are code of the user's."""
    if path.startswith("ir.actions.server("):
        return True
    below = any(path.startswith((f"{root}/odoo/", f"{root}/addons/")) for root in roots)
    return path.endswith(".py") and "/" in path and not below and not _LIBRARY.search(path)


def _of_odoo(frames: list[Frame]) -> tuple[Frame, ...]:
    """Return the last frame in an addon of Odoo's that is more than plumbing."""
    for before, frame in zip([None, *frames], frames, strict=False):
        if before and before.function in _ENTRY and _ADDON.search(frame.path):
            return (frame,)
    named = [f for f in frames if (m := _ADDON.search(f.path)) and m[1] not in _PLUMBING]
    return tuple(named[-1:])


def _exception(text: str) -> tuple[str, str]:
    """Return the type and message of the last traceback's exception."""
    found = _EXCEPTION.search(text, text.rindex(_HEAD) + len(_HEAD))
    if found is None:
        return "Exception", ""
    return found[1], _tidy(text[found.end() :])


def _sentence(text: str) -> str:
    """Return what the text says first; of a failed query, what the database said."""
    if text.startswith("bad query:"):
        _, _, answer = text.partition("\nERROR: ")
        text = answer or text
    return _tidy(text.strip().partition("\n\n")[0])


def _tidy(message: str) -> str:
    return message.strip().removesuffix("- - -").strip()[:_SHOWN]
