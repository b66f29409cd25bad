"""One name means one thing."""

import ast
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src/odoorway"


def test_no_class_has_the_name_of_another() -> None:
    """Who searches for a name finds one class, public or private, and who reads it knows which."""
    trees = [ast.parse(path.read_bytes()) for path in PACKAGE.rglob("*.py")]
    classes = [
        node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    ]
    twins = {name: count for name, count in Counter(classes).items() if count > 1}
    assert classes
    assert not twins
