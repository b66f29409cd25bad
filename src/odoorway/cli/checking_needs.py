"""What the handlers need of Odoo, found by running them on the recorded samples."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from odoorway.cli.checking_absent import lacking
from odoorway.cli.trying import example_event
from odoorway.commands import Command
from odoorway.deliver.odoo.schema import Written, looked_up, written
from odoorway.gateway import Gateway, Route
from odoorway.model.delivery import Outcome
from odoorway.model.event import Event
from odoorway.sources import samples
from odoorway.transform.run import Asks, Commands, Settled, Transformed, transform

_SHOWN = 10  # lines about what a sample may lack
CheckLevel = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was looked at."""

    level: CheckLevel
    what: str
    code: str | None = None  # a diagnosis code
    where: str | None = None  # file:line of the handler that is concerned


@dataclass(slots=True)
class Need:
    """What is searched for in one model, and written into it."""

    model: str
    searched: dict[str, str] = field(default_factory=dict)  # field: where
    written: list[tuple[Written, str]] = field(default_factory=list)  # with where


class Needs:
    """The models that the handlers use, and what was found while running them."""

    def __init__(self) -> None:
        """Be empty."""
        self.models: dict[str, Need] = {}
        self.findings: list[CheckResult] = []

    @classmethod
    def of(cls, gateway: Gateway, destination: str | None = None) -> "Needs":
        """Run every route, or those to *destination*, on the recorded samples of its topics."""
        needs = cls()
        for route in gateway.routes.values():
            if destination not in {None, route.destination}:
                continue
            platform = gateway.sources[route.source].definition.platform
            recorded = {t: b for t, b in samples(platform).items() if route.matches(t)}
            where = _where(route)
            if not recorded:
                text = f"route {route.name}: no recorded sample of its topics, so it was not run"
                needs.findings.append(CheckResult("warn", text, where=where))
            for topic, body in recorded.items():
                event = example_event(route.source, topic, body)
                needs._take(route.name, topic, where, transform(route, event))
                needs._lack(route, event, where)
        return needs

    def _lack(self, route: Route, event: Event, where: str) -> None:
        """Say what becomes of the sample when something of it is absent."""
        well, trouble = lacking(route, event)
        about = f"route {route.name} on the sample {event.topic}"
        if well:
            text = f"{about}: with {well} optional fields null or missing it runs as well"
            self.findings.append(CheckResult("ok", text))
        for told in trouble[:_SHOWN]:
            self.findings.append(CheckResult("warn", f"{about}, {told}", where=where))
        if len(trouble) > _SHOWN:
            text = f"{about}: and {len(trouble) - _SHOWN} more such"
            self.findings.append(CheckResult("warn", text, where=where))

    def _take(self, route: str, topic: str, where: str, result: Transformed) -> None:
        match result:
            case Settled(outcome, code, detail, _):
                level: CheckLevel = "warn" if outcome is Outcome.SKIPPED else "fail"
                text = f"route {route} on the sample {topic}: {detail}"
                self.findings.append(CheckResult(level, text, code, where))
            case Asks(finds):
                text = f"route {route} on the sample {topic} {result.text}"
                self.findings.append(CheckResult("ok", text))
                for one in finds:
                    for name in (*(name for name, _ in one.where), *one.fields):
                        self._of(one.model).searched.setdefault(name, where)
            case Commands(commands):
                text = f"route {route} runs on the sample {topic}"
                self.findings.append(CheckResult("ok", text))
                self._note(commands, where)

    def _note(self, commands: Sequence[Command], where: str) -> None:
        for model, name in looked_up(commands):
            self._of(model).searched.setdefault(name, where)
        for one in written(commands):
            self._of(one.model).written.append((one, where))

    def _of(self, model: str) -> Need:
        return self.models.setdefault(model, Need(model))


def _where(route: Route) -> str:
    code = inspect.unwrap(route.handler).__code__
    path = Path(code.co_filename)
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return f"{shown}:{code.co_firstlineno}"
