"""`odoorway init`."""

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from odoorway.cli.output import out, safe

FILES = {"hooks.py": "hooks.py.txt", ".env": "env.txt", "test_hooks.py": "test_hooks.py.txt"}


def init(
    folder: Annotated[Path, typer.Argument(help="where to write; made when missing")] = Path(),
) -> None:
    """Write a hooks.py, a .env and a test to start from. Overwrites nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, template in FILES.items():
        _write(folder / name, template)
    out.print(
        "\nNext: fill in [bold].env[/], then\n"
        "  odoorway check hooks.py\n  odoorway run hooks.py\n  pytest"
    )


def _write(path: Path, template: str) -> None:
    if path.exists():
        out.print(f"[yellow]kept[/]   {safe(path)}")
        return
    text = (resources.files("odoorway.cli") / "scaffold_files" / template).read_text()
    path.touch(mode=0o600 if path.name == ".env" else 0o644)
    path.write_text(text)
    out.print(f"[green]wrote[/]  {safe(path)}")
