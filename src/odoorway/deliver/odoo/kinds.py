"""What kind of field each is that matters; asked once, since it hardly ever changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from odoorway.commands import Command, Update, Upsert
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.refusal import Refused, Unusable
from odoorway.transform.flatten import Place, upserts

_ATTRIBUTES: Final = ["type", "relation", "currency_field", "digits"]


@dataclass(slots=True)
class Kinds:
    """The fields that lists are written into, or that are read back, as this Odoo has them."""

    odoo: Odoo
    # Nothing is known of a field that was missing: it is asked for again, an addon may bring it.
    _known: dict[Place, Mapping[str, Any]] = field(default_factory=dict)

    async def learn(self, commands: Iterable[Command]) -> None:
        """Ask for the fields of *commands* that hold lists, those that are not known yet.

        A model that cannot be asked is left out: what writing to it is answered will tell more.

        Raises:
            Unusable: Odoo is down.
        """
        lists = {place for one in commands for place in _lists(one)}
        places = {place for place in lists if not self._known.get(place)}
        for model in sorted({model for model, _ in places}):
            try:
                await self.describe(model, {name for other, name in places if other == model})
            except Unusable:
                raise
            except Refused:
                continue

    async def describe(self, model: str, names: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return what ``fields_get`` tells of those fields; nothing of one that is not there.

        Raises:
            Refused: the model cannot be asked.
        """
        wanted = sorted(names)
        new = [name for name in wanted if not self._known.get((model, name))]
        if new:
            told = await self.odoo.ask(model, "fields_get", allfields=new, attributes=_ATTRIBUTES)
            for name in new:
                info = told.get(name) if isinstance(told, dict) else None
                self._known[model, name] = info if isinstance(info, dict) else {}
        return {name: self._known[model, name] for name in wanted}

    @property
    def types(self) -> Mapping[Place, str]:
        """The kind of each field that is known; nothing where Odoo has no such field."""
        return {place: str(info.get("type", "")) for place, info in self._known.items()}

    def relation(self, model: str, name: str) -> str:
        """Return the model of that field's members, or nothing when it is not known."""
        return str(self._known.get((model, name), {}).get("relation", ""))


def _lists(command: Command) -> Iterable[Place]:
    own: list[Update | Upsert] = [command] if isinstance(command, Update) else []
    for one in chain(own, upserts([command])):
        values = one.at_most if isinstance(one, Upsert) else one.values
        for name, value in values.items():
            if isinstance(value, list | tuple) and all(isinstance(o, Upsert) for o in value):
                yield one.model, name
