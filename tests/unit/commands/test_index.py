"""The index of commands: each one that is defined is exported, beside its handler."""

import importlib
import inspect
import pkgutil
import re

import commands


def test_every_command_is_exported_with_its_handler() -> None:
    modules = [
        importlib.import_module(info.name)
        for info in pkgutil.walk_packages(commands.__path__, "commands.")
    ]
    functions = [each for m in modules for _, each in inspect.getmembers(m, inspect.isfunction)]
    taken = [each.__annotations__.get("command", str) for each in functions]
    defined = {getattr(each, "__name__", each) for each in taken} - {"str"}
    assert {"DecideTransaction", "ImportRows", "LabelTransaction", "ScoreTransaction"} < defined
    for command in defined:
        handler = re.sub("(?<!^)([A-Z])", r"_\1", command).lower()
        assert {command, handler} <= set(commands.__all__)
