"""The tree of errors that domain/errors.py draws is the tree of error classes."""

import ast
import re

from domain import errors
from tests.architecture.tree import modules, parsed


def declared() -> dict[str, str]:
    """The base of each product class that descends from RetraceError."""
    bases = {
        node.name: base.id
        for path in modules()
        for node in parsed(path.read_text()).body
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name)
    }

    def descends(name: str) -> bool:
        return name == "RetraceError" or (name in bases and descends(bases[name]))

    return {name: base for name, base in bases.items() if descends(base)}


def drawn() -> dict[str, str]:
    parents = ["RetraceError"]
    found: dict[str, str] = {}
    for stem, name in re.findall(r"^([│ ]*)[├└]── (\w+)", errors.__doc__ or "", re.M):
        depth = len(stem) // 4 + 1
        found[name] = parents[depth - 1]
        parents[depth:] = [name]
    return found


def test_the_drawn_tree_is_that_of_the_classes() -> None:
    assert drawn() == declared()
