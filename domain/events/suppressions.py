"""Suppressions: alerts that disturb nobody for a while, and the published set of them."""

from dataclasses import dataclass, field

from domain.events.registry import Event, event


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Alerts of these payments are raised and not delivered; decisions stay as they are.

    It is about payments from `begins` to before `until`, both event time in microseconds UTC, of
    one of `cards` (tokens where numbers were written), `customers`, `merchants` and `devices`; an
    empty list restricts nothing. With `rules`, names of published ones, only about decisions that
    would raise no alert without these.
    """

    name: str
    begins: int
    until: int
    reason: str
    owner: str
    cards: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    merchants: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)


@event("fraud.suppressions.published")
@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionsPublished(Event):
    """From this position on, decisions know these suppressions, and no others.

    `suppressions_hash` is the SHA-256 of their text. `took_back` is the offset of the earlier set
    that is in force again, None where the set was published from files.
    """

    suppressions: list[Suppression]
    suppressions_hash: str
    reason: str
    took_back: int | None = None
