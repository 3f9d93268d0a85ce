"""Read models against a naive model, over any stream of facts."""

from collections import defaultdict
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.events import (
    Envelope,
    StepUpConcluded,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)
from domain.times import DAY, to_datetime
from domain.transactions import Transaction
from projections.readmodels.adapters.postgres import transactions_projection
from projections.readmodels.queries.read_models import forget
from tests.builders.read_model_facts import (
    NOON,
    CheckedLog,
    batches,
    imported,
    labelled,
    scored,
    stepped_up,
    submitted,
    transaction,
)
from tests.builders.table_contents import kept_daily, recomputed_daily, rows

X, ANEW = transaction("a"), transaction("a", NOON + 451 * DAY, merchant_id="m2")
EARLY, LATE = labelled("a", 1, NOON + DAY), labelled("a", 0, NOON + 9 * DAY, "r2")
_keys = st.sampled_from("abc")
_days = st.sampled_from([0, 1, 2, 450, 451])
_digests = st.sampled_from(["d1", "d2"])
_entities = st.sampled_from([None, "m1", "m2"])


@st.composite
def _transactions(draw: st.DrawFn) -> Any:
    return transaction(
        draw(_keys),
        NOON + draw(_days) * DAY,
        base_amount=draw(st.integers(0, 10**12)),
        merchant_id=draw(_entities),
        customer_id=draw(_entities),
    )


def _of(x: Transaction, digest: str) -> str:
    """The time of a payment is part of its content."""
    return f"{digest} {x.timestamp}"


_facts = st.one_of(
    st.builds(lambda x, digest: submitted(x, digest=_of(x, digest)), _transactions(), _digests),
    st.builds(lambda x, digest: imported(x, digest=_of(x, digest)), _transactions(), _digests),
    st.builds(
        lambda x, outcome, digest: scored(x, outcome, digest=_of(x, digest)),
        _transactions(),
        st.sampled_from(["approve", "review", "step_up", "decline"]),
        _digests,
    ),
    st.builds(
        lambda key, value, day, reference: labelled(key, value, NOON + day * DAY, reference),
        _keys,
        st.sampled_from([0, 1]),
        _days,
        st.sampled_from(["r1", "r2", "r3"]),
    ),
    st.builds(stepped_up, _keys, st.sampled_from(["passed", "failed", "abandoned"])),
)


class NaiveReadModels:
    """Keeps the facts that count, and computes every answer from them."""

    def __init__(self, log: CheckedLog) -> None:
        self.origins: dict[str, Envelope] = {}
        self.outcomes: dict[str, str] = {}
        self.labels: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.step_ups: dict[str, str] = {}
        for records in log.records.values():
            for record in records:
                if record.status == "counts" and record.envelope is not None:
                    self._take(record.envelope, record.position.offset)

    def _take(self, fact: Envelope, offset: int) -> None:
        key, data = fact.subject, fact.data
        if isinstance(data, TransactionSubmitted | TransactionImported):
            if key in self.origins:
                self.outcomes.pop(key, None)
                self.labels.pop(key, None)
                self.step_ups.pop(key, None)
            self.origins[key] = fact
        elif isinstance(data, TransactionScored):
            self.outcomes[key] = data.outcome
        elif isinstance(data, TransactionLabelled):
            self.labels[key].append((offset, data.value))
        elif isinstance(data, StepUpConcluded):
            self.step_ups[key] = data.result

    def current(self) -> dict[str, int]:
        return {key: max(found)[1] for key, found in self.labels.items() if found}

    def merchant_daily(self) -> dict[tuple[Any, str], list[int]]:
        sums: dict[tuple[Any, str], list[int]] = {}
        for key, fact in self.origins.items():
            x, outcome, label = (
                fact.data.transaction, self.outcomes.get(key), self.current().get(key),
            )  # fmt: skip
            if x.merchant_id is None:
                continue
            figures = [1, x.base_amount]
            figures += [outcome == o for o in ("approve", "review", "step_up", "decline")]
            figures += [label == 1, x.base_amount * (label == 1), label == 0]
            place = (to_datetime(x.timestamp).date(), x.merchant_id)
            old = sums.get(place, [0] * len(figures))
            sums[place] = [a + b for a, b in zip(old, figures, strict=True)]
        return sums


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    facts=st.lists(_facts, max_size=20),
    size=st.integers(1, 8),
    repeated=st.integers(0, 4),
    restarts=st.booleans(),
)
@example([imported(X), EARLY, LATE], 1, 0, False)
@example([imported(X), LATE, EARLY], 8, 0, False)
@example([submitted(X), scored(X), EARLY, submitted(ANEW, digest="d2")], 1, 0, False)
def test_any_stream_gives_what_a_naive_model_gives(
    engine: Engine, facts: list[Envelope], size: int, repeated: int, restarts: bool
) -> None:
    forget(engine)
    log = CheckedLog()
    log.append(*facts)
    projection = transactions_projection(engine)
    for partition, records in log.records.items():
        projection.assign(partition)
        for batch in batches(records, size):
            if restarts:
                projection = transactions_projection(engine)
                projection.assign(partition)
            first = batch[0].position.offset
            projection.project({partition: records[max(0, first - repeated) : first + len(batch)]})
    naive = NaiveReadModels(log)
    assert dict(rows(engine, "SELECT transaction_id, digest FROM transactions")) == {
        key: fact.data.digest for key, fact in naive.origins.items()
    }
    assert dict(rows(engine, "SELECT transaction_id, outcome FROM decisions")) == naive.outcomes
    assert dict(rows(engine, "SELECT transaction_id, result FROM step_ups")) == naive.step_ups
    final = "SELECT transaction_id, final_outcome FROM final_outcomes"
    assert dict(rows(engine, final)) == {
        key: {"passed": "approve", "failed": "decline", "abandoned": "decline"}.get(
            naive.step_ups.get(key, ""), outcome
        )
        for key, outcome in naive.outcomes.items()
    }
    assert dict(rows(engine, "SELECT transaction_id, value FROM current_labels")) == naive.current()
    found = {(row[0], row[1]): list(row[2:]) for row in kept_daily(engine, "merchant")}
    assert found == naive.merchant_daily()
    assert kept_daily(engine, "customer") == recomputed_daily(engine, "customer")
