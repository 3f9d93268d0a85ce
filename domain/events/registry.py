"""Registry of events by wire name, and the stepwise upcasters of older versions."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

Wire = dict[str, Any]
Upcaster = Callable[[Wire], Wire]


class Event:
    """A frozen past-tense fact. `NAME` is `subsystem.subject.verb`, without its version."""

    __slots__ = ()
    NAME: ClassVar[str]
    VERSION: ClassVar[int]


E = TypeVar("E", bound=type[Event])

_CURRENT: dict[str, type[Event]] = {}
_UPCASTERS: dict[tuple[str, int], Upcaster] = {}


def event(name: str, version: int = 1) -> Callable[[E], E]:
    """Registers a frozen dataclass as the current version of the fact `name`."""

    def register(cls: E) -> E:
        if name in _CURRENT:
            raise TypeError(f"event name {name!r} is registered twice, the second time by {cls}")
        cls.NAME = name
        cls.VERSION = version
        _CURRENT[name] = cls
        return cls

    return register


def upcaster(name: str, from_version: int) -> Callable[[Upcaster], Upcaster]:
    """Registers the step of `name` from `from_version` to the next one."""

    def register(step: Upcaster) -> Upcaster:
        _UPCASTERS[(name, from_version)] = step
        return step

    return register


def wire_type(cls: type[Event]) -> str:
    """`fraud.transaction.submitted.v1`"""
    return f"{cls.NAME}.v{cls.VERSION}"


def split_type(wire: str) -> tuple[str, int]:
    """`fraud.transaction.submitted.v1` -> (`fraud.transaction.submitted`, 1). Raises ValueError."""
    name, _, version = wire.rpartition(".v")
    if not name or not version.isdigit():
        raise ValueError(f"{wire!r} is not of the form name.vN")
    return name, int(version)


def class_of(name: str) -> type[Event]:
    """Raises KeyError where no event of that name was ever registered."""
    return _CURRENT[name]


def upcast(name: str, version: int, data: Wire) -> Wire:
    """Walks `data` step by step to the current version. Raises KeyError where a step is missing."""
    while version < _CURRENT[name].VERSION:
        data = _UPCASTERS[(name, version)](data)
        version += 1
    return data


def registered() -> dict[str, type[Event]]:
    """Every current event by name, in the order of registration."""
    return dict(_CURRENT)
