"""One name means one thing."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src/odoorway"
TREES = [ast.parse(path.read_bytes()) for path in PACKAGE.rglob("*.py")]
CLASSES = [node.name for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
SHORTER = {"Event"}  # sources.stripe.Event is StripeEvent, as hooks.py writes it


def assigned() -> Iterator[str]:
    """Yield each name that a module gives to a type, or to anything else."""
    for tree in TREES:
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
                    yield name


def test_no_class_has_the_name_of_another() -> None:
    """Who searches for a name finds one class, public or private, and who reads it knows which."""
    assert {name: count for name, count in Counter(CLASSES).items() if count > 1} == {}


def test_no_type_has_the_name_of_a_class() -> None:
    """However it is made."""
    assert set(CLASSES) & set(assigned()) == SHORTER
