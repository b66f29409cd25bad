"""Run a route's handler on an event. Pure apart from what the handler itself does."""

import math
import traceback
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Final, assert_never

from odoorway.commands import Command, Find, Forward, Upsert
from odoorway.errors import HandlerError, Reject, RetryLater, Skip
from odoorway.gateway import Handler, Route
from odoorway.model.delivery import Outcome
from odoorway.model.event import Event
from odoorway.outside import printable
from odoorway.transform.shown import shown
from odoorway.transform.validate import InvalidPayload, validate

_WRITE_INSTEAD = (
    "return an Upsert, Update, Call or Forward, or a list of them, or raise Skip(reason)"
)


@dataclass(frozen=True, slots=True)
class Commands:
    """What the handler wants written; at least one."""

    commands: tuple[Command, ...]
    text: str = field(default="", compare=False)  # the same, as people compare them


@dataclass(frozen=True, slots=True)
class Settled:
    """The delivery's outcome, decided without asking the destination."""

    outcome: Outcome
    code: str  # a diagnosis code
    detail: str
    retry_after: float | None = None  # seconds
    alone: bool = False  # what it did to its process: dead within minutes


@dataclass(frozen=True, slots=True)
class Asks:
    """What the handler has to know before it can decide: lookups, asked together."""

    finds: tuple[Find, ...]

    @property
    def text(self) -> str:
        """What is asked, for people."""
        return "asks Odoo first: " + ", ".join(map(str, self.finds))


Transformed = Commands | Settled | Asks
FoundRecord = Mapping[str, Any] | None  # its id and the fields asked for; None: there is none
_KIND: Final = 200  # characters of a content type that go on
MOST_ASKED: Final = 10  # times in turn that one run of a handler may ask


def transform(
    route: Route, event: Event, answers: Sequence[Sequence[FoundRecord]] = ()
) -> Transformed:
    """Validate the event's body, call the route's handler and sort out what it says.

    A handler that is a generator is told *answers*, one for each time it asked, in order; when it
    asks more, what it asks is returned, to be run again with that answer too. It is pure, so it
    asks the same again.

    Never raises: whatever goes wrong is a dead letter with its diagnosis. A traceback begins at
    the handler. ``KeyboardInterrupt`` and its like pass.
    """
    try:
        returned = _call(route, event)
        if isinstance(returned, Generator):
            returned = _driven(returned, answers)
        return returned if isinstance(returned, Asks) else _complete(_commands(returned), event)
    except InvalidPayload as error:
        return Settled(Outcome.DEAD, error.code, str(error))
    except (Skip, Reject, RetryLater) as signal:
        return _decided(signal)
    except HandlerError as error:
        return Settled(Outcome.DEAD, error.code, _told(error, route.handler))
    except Exception as error:  # noqa: BLE001 - a handler may raise anything, and it must not stop us
        return Settled(Outcome.DEAD, "handler.failed", _told(error, route.handler))


def _driven(handler: Generator[Any, Any, Any], answers: Sequence[Sequence[FoundRecord]]) -> Any:
    """Return what the handler returns in the end, or what it asks after those *answers*."""
    try:
        asked = next(handler)
        for answer in answers:
            asked = handler.send(answer if isinstance(asked, list | tuple) else answer[0])
    except StopIteration as end:
        return end.value
    finally:
        handler.close()
    finds = tuple(asked) if isinstance(asked, list | tuple) else (asked,)
    if len(answers) >= MOST_ASKED:
        raise HandlerError(f"the handler asked {MOST_ASKED} times, and asks more")
    if not finds or not all(isinstance(one, Find) for one in finds):
        raise HandlerError(
            f"the handler yields {_named(asked)}; yield find(...), or a list of them"
        )
    if any(isinstance(one.chain[-1].missing, Upsert) for one in finds):
        raise HandlerError("what a handler yields is only looked up: missing= cannot be an Upsert")
    return Asks(finds)


def _decided(signal: Skip | Reject | RetryLater) -> Settled:
    match signal:
        case Skip():
            return Settled(Outcome.SKIPPED, "handler.skipped", str(signal.reason))
        case Reject():
            return Settled(Outcome.DEAD, "handler.rejected", str(signal.reason))
        case RetryLater():
            after = _seconds(signal.after)
            return Settled(Outcome.RETRY, "handler.retry-later", str(signal.reason), after)
    assert_never(signal)


def _seconds(given: Any) -> float | None:
    """Return the wait that a handler asked for; None when it is no time."""
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not math.isfinite(given):
        return None
    return max(0.0, float(given))


def _call(route: Route, event: Event) -> Any:
    payload = validate(route.payload, event.body, event.header("content-encoding"))
    return route.handler(payload, event) if route.wants_event else route.handler(payload)


def _commands(returned: Any) -> Commands | Settled:
    if isinstance(returned, Command):
        return Commands((returned,))
    if not isinstance(returned, list | tuple):
        return _no_command(f"The handler returned {_named(returned)}; {_WRITE_INSTEAD}.")
    for position, one in enumerate(returned):
        if not isinstance(one, Command):
            return _no_command(
                f"The handler returned {_named(one)} at [{position}] of its list; {_WRITE_INSTEAD}."
            )
    if not returned:
        return Settled(Outcome.SKIPPED, "handler.skipped", "the handler returned an empty list")
    return Commands(tuple(returned))


def _complete(result: Commands | Settled, event: Event) -> Transformed:
    """Give each forward without a body the event's own, as it came, and all of them their text."""
    if isinstance(result, Settled):
        return result
    commands = tuple(_with_body(command, event) for command in result.commands)
    return Commands(commands, shown(commands))


def _with_body(command: Command, event: Event) -> Command:
    if not isinstance(command, Forward) or command.body is not None:
        return command
    kind = printable(event.header("content-type") or "")[:_KIND]
    headers = {"content-type": kind} if kind else {}
    return replace(command, body=event.body, headers={**headers, **command.headers})


def _no_command(detail: str) -> Settled:
    return Settled(Outcome.DEAD, "handler.no-command", detail)


def _named(value: Any) -> str:
    if value is None:
        return "None (is a return missing?)"
    return f"a {type(value).__name__}"


def _told(error: Exception, handler: Handler) -> str:
    """Return the traceback from the handler's own file downwards, or only the error."""
    begin = _handlers_frame(error.__traceback__, handler)
    return "".join(traceback.format_exception(type(error), error, begin, chain=False)).rstrip()


def _handlers_frame(trace: TracebackType | None, handler: Handler) -> TracebackType | None:
    while trace and trace.tb_frame.f_code.co_filename != handler.__code__.co_filename:
        trace = trace.tb_next
    return trace
