"""Dependencies of the routes; runtime builds them and passes them to `create_app`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, cast

from fastapi import Depends, Request

from api.live import DecisionHub
from api.metrics import Metrics
from api.serving.forwarding import Forwarding
from api.serving.gate import Gate
from commands import Context
from commands.policy.lists.entries import ListedEntries
from domain.cases import FourEyes
from domain.events import Envelope, Rule
from projections.readmodels.queries.read_models import ReadModels

Probe = Callable[[], Awaitable[None]]
Explain = Callable[[tuple[int, int], Envelope, Sequence[int], int | None], dict[str, Any]]


class RawPayloads(Protocol):
    """Payloads as received, kept by the evidence projection. Blocking."""

    def raw(self, transaction_id: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class ApiDeps:
    """`probes` name each server; one that fails raises. `keep_early_label` keeps it for a retry.

    `forwarding` takes each request to the owner of its transaction. `gate` is that of the
    decisions. `rule_sets` gives the rules of all published sets by version, and blocks; so does
    `lists`. `clean_entry` gives from a list's kind and an entry as written its texts, or raises
    UncleanError. `explain` takes what counts of a transaction, with its (partition, offset), the
    ends of the log, and a known time in microseconds or None; it blocks. `secret_of` is the setting
    RETRACE_SECRET_ and that name, or empty. `answered` is told each decision that is answered and
    how many seconds it took, where transactions are followed.
    """

    context: Context
    read_models: ReadModels
    evidence: RawPayloads
    hub: DecisionHub
    metrics: Metrics
    probes: Mapping[str, Probe]
    keep_early_label: Callable[[bytes, str], Awaitable[None]]
    gate: Gate
    forwarding: Forwarding
    rule_sets: Callable[[], Mapping[int, Sequence[Rule]]]
    lists: ListedEntries
    clean_entry: Callable[[str, str], list[str]]
    secret_of: Callable[[str], str]
    four_eyes: FourEyes
    explain: Explain
    answered: Callable[[Envelope, float], None] | None = None


def deps_of(request: Request) -> ApiDeps:
    """Raises the error that keeps the dependencies from being open."""
    state = request.app.state
    if state.deps is None:
        raise state.trouble
    return cast(ApiDeps, state.deps)


Deps = Annotated[ApiDeps, Depends(deps_of)]
