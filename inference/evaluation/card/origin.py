"""Origin of a model: data source, log positions and code, for its card."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """`source` names the training data in words. `positions` are, per partition of `topic`, the
    offsets up to which the log was read, empty where it was not. `commit` is None outside a
    checkout."""

    source: str
    version: str
    commit: str | None
    topic: str | None = None
    positions: tuple[int, ...] = ()
