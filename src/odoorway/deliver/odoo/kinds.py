"""What kind of field a list is written into; asked once, since it hardly ever changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from odoorway.commands import Command, Update, Upsert
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.refusal import Refused, Unusable
from odoorway.transform.flatten import Place, upserts


@dataclass(slots=True)
class Kinds:
    """The fields that lists of Upserts, or empty ones, are written into, as this Odoo has them."""

    odoo: Odoo
    _known: dict[Place, tuple[str, str]] = field(default_factory=dict)  # type and related model

    async def learn(self, commands: Iterable[Command]) -> None:
        """Ask for the fields of *commands* that hold lists, those that are not known yet.

        A model that cannot be asked is left out: what writing to it is answered will tell more.

        Raises:
            Unusable: Odoo is down.
        """
        places = {place for one in commands for place in _lists(one)} - set(self._known)
        for model in sorted({model for model, _ in places}):
            names = sorted(name for other, name in places if other == model)
            try:
                told = await self.odoo.ask(
                    model, "fields_get", allfields=names, attributes=["type", "relation"]
                )
            except Unusable:
                raise
            except Refused:
                continue
            for name in names:
                info = told.get(name) if isinstance(told, dict) else None
                known = info if isinstance(info, dict) else {}
                kind, relation = known.get("type", ""), known.get("relation", "")
                self._known[model, name] = str(kind), str(relation)

    @property
    def types(self) -> Mapping[Place, str]:
        """The kind of each field that is known; nothing where Odoo has no such field."""
        return {place: kind for place, (kind, _) in self._known.items()}

    def relation(self, model: str, name: str) -> str:
        """Return the model of that field's members, or nothing when it is not known."""
        return self._known.get((model, name), ("", ""))[1]


def _lists(command: Command) -> Iterable[Place]:
    own: list[Update | Upsert] = [command] if isinstance(command, Update) else []
    for one in chain(own, upserts([command])):
        for name, value in one.values.items():
            if isinstance(value, list | tuple) and all(isinstance(o, Upsert) for o in value):
                yield one.model, name
