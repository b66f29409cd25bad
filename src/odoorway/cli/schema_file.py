"""What one Odoo has of the models that the handlers use, in memory and as a file."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from odoorway.errors import SettingsError
from odoorway.outside import read_json

OPERATIONS = ("read", "create", "write")


@dataclass(frozen=True, slots=True)
class Right:
    """What one group may do with a model; without a group, what every user may."""

    group: str | None
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """One model, as the gateway's user sees it."""

    fields: dict[str, dict[str, Any]] = field(default_factory=dict)  # what `fields_get` returned
    defaults: tuple[str, ...] = ()  # required fields that Odoo fills by itself
    may: tuple[str, ...] = ()  # the operations that this user may do
    rights: tuple[Right, ...] = ()  # known to an administrator only
    refused: tuple[str, str] | None = None  # why it could not be asked: detail and code


@dataclass(frozen=True, slots=True)
class Schema:
    """One Odoo, as far as the handlers need it."""

    version: str  # like 19.0
    admin: bool  # the key is an administrator's
    models: dict[str, Model]

    def write(self, path: Path) -> None:
        """Keep it in a file that reads well in a review."""
        path.write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Schema":
        """Return what `write` kept.

        Raises:
            SettingsError: it is no such file.
        """
        try:
            kept = read_json(path.read_bytes())
            models = {name: _model(one) for name, one in kept["models"].items()}
            return cls(str(kept["version"]), bool(kept["admin"]), models)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SettingsError(
                f"{path} is no file that `odoorway schema pull` wrote: {error}"
            ) from error


def _model(kept: dict[str, Any]) -> Model:
    return Model(
        fields=kept["fields"],
        defaults=tuple(kept["defaults"]),
        may=tuple(kept["may"]),
        rights=tuple(Right(one["group"], tuple(one["operations"])) for one in kept["rights"]),
        refused=tuple(kept["refused"]) if kept["refused"] else None,
    )


def named(what: str) -> Path:
    """Return the file that *what* means: itself, or the schema of that version, here.

    Raises:
        SettingsError: there is none.
    """
    path = Path(what)
    if path.is_file():
        return path
    found = sorted(Path.cwd().glob(f"odoo-schema-{what}*.json")) if "/" not in what else []
    if not found:
        raise SettingsError(
            f"there is no schema {what!r}: pull it once from an Odoo of that version with"
            " `odoorway schema pull hooks.py`, which writes odoo-schema-<version>.json"
        )
    return found[0]
