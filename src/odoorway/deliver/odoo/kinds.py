"""What kind of field a list is written into; asked once, since it hardly ever changes."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from odoorway.commands import Upsert
from odoorway.deliver.odoo.asking import Odoo
from odoorway.deliver.odoo.refusal import Refused, Unusable

Place = tuple[str, str]  # model and field


@dataclass(slots=True)
class Kinds:
    """The fields that lists of Upserts are written into, as this Odoo has them."""

    odoo: Odoo
    _known: dict[Place, tuple[str, str]] = field(default_factory=dict)  # type and related model

    async def learn(self, upserts: Iterable[Upsert]) -> None:
        """Ask for the fields of *upserts* that hold lists, those that are not known yet.

        A model that cannot be asked is left out: what writing to it is answered will tell more.

        Raises:
            Unusable: Odoo is down.
        """
        places = {place for one in upserts for place in _lists(one)} - set(self._known)
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
                info = told.get(name, {}) if isinstance(told, dict) else {}
                self._known[model, name] = info.get("type", ""), info.get("relation", "")

    @property
    def many2many(self) -> frozenset[Place]:
        """The fields whose members are records in their own right."""
        return frozenset(place for place, (kind, _) in self._known.items() if kind == "many2many")

    def relation(self, model: str, name: str) -> str:
        """Return the model of that field's members, or nothing when it is not known."""
        return self._known.get((model, name), ("", ""))[1]


def _lists(upsert: Upsert) -> Iterable[Place]:
    for name, value in upsert.values.items():
        listed = isinstance(value, list | tuple) and all(isinstance(o, Upsert) for o in value)
        if listed and (value or upsert.lines == "sync"):
            yield upsert.model, name
