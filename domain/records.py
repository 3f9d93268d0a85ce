"""Records: immutable dataclasses of which millions are made."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool, **options: Any) -> Any:
        """As `dataclass`, but that a record is frozen is left to mypy to see.

        A frozen class sets each of its fields through `object.__setattr__`: a transaction takes
        five times as long to make, and five records are made for each row of an import.
        """
        return dataclass(unsafe_hash=frozen, **options)
