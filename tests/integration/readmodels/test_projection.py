"""The projection into PostgreSQL: exact rows, figures and counts, whatever the batches."""

import pytest
from sqlalchemy import Engine

from domain.errors import FencedError
from domain.times import DAY
from eventlog.topics import TRANSACTIONS
from projections.readmodels.adapters.postgres import transactions_projection
from projections.readmodels.queries.read_models import ReadModels, forget
from tests.builders.read_model_facts import (
    NOON,
    CheckedLog,
    batches,
    imported,
    labelled,
    project_all,
    scored,
    small_history,
    submitted,
    transaction,
)
from tests.builders.table_contents import dump, kept_daily, recomputed_daily, rows


def test_every_kind_of_fact_reaches_its_table(engine: Engine) -> None:
    project_all(transactions_projection(engine), small_history())
    assert [row[0] for row in dump(engine)["transactions"]] == ["a", "b", "c"]
    assert rows(engine, "SELECT transaction_id, outcome FROM decisions ORDER BY 1") == [
        ("a", "decline"),
        ("b", "step_up"),
    ]
    assert rows(engine, "SELECT transaction_id, value FROM current_labels ORDER BY 1") == [
        ("a", 0),
        ("c", 1),
    ]


def test_values_are_stored_as_they_were_stated(engine: Engine) -> None:
    log = CheckedLog()
    x = transaction("x", NOON + 1, ip="2001:db8::1", merchant_id="Café \\N \t\n☃")
    log.append(submitted(x), scored(x))
    project_all(transactions_projection(engine), log)
    models = ReadModels(engine)
    stored, decision = models.transaction("x"), models.decision("x")
    assert stored is not None
    assert decision is not None
    for name in ("timestamp", "amount", "base_amount", "ip", "merchant_id", "lat", "lon"):
        assert getattr(stored, name) == getattr(x, name)
    assert decision.features == [1.0, None, 0.1 + 0.2]
    assert decision.reasons == ["high_amount", 'odd "quote", comma']
    assert decision.versions == {"card": "0:5,1:9"}
    assert decision.timings_us == {"features": 812}


def test_delivering_twice_changes_nothing(engine: Engine) -> None:
    log, projection = small_history(), transactions_projection(engine)
    project_all(projection, log)
    before = dump(engine), ReadModels(engine).accounting({TRANSACTIONS.name: log.ends()})
    for partition, records in log.records.items():
        for batch in batches(records, 3):
            projection.project(partition, batch)
    after = dump(engine), ReadModels(engine).accounting({TRANSACTIONS.name: log.ends()})
    assert before == after


def test_a_batch_that_overlaps_what_is_committed_adds_only_the_rest(engine: Engine) -> None:
    log, projection = small_history(), transactions_projection(engine)
    for partition, records in log.records.items():
        projection.assign(partition)
        for end in range(1, len(records) + 1):
            projection.project(partition, records[max(0, end - 3) : end])
    overlapping = dump(engine)
    forget(engine)
    project_all(transactions_projection(engine), log)
    assert dump(engine) == overlapping


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_rebuild_gives_identical_tables_whatever_the_batches(engine: Engine, size: int) -> None:
    log, projection = small_history(), transactions_projection(engine)
    project_all(projection, log, size=4)
    before = dump(engine)
    forget(engine)
    assert not any(dump(engine).values())
    with pytest.raises(FencedError):
        projection.project(0, log.records[0])
    project_all(transactions_projection(engine), log, size)
    assert dump(engine) == before


def test_counts_add_up_to_what_was_produced(engine: Engine) -> None:
    log, projection = small_history(), transactions_projection(engine)
    projection.assign(0)
    projection.project(0, log.records[0][:-1])
    [sums] = ReadModels(engine).accounting({TRANSACTIONS.name: log.ends()})
    assert sums.in_flight == 1 + len(log.records[1])
    assert sums.dead == 1
    assert sums.unaccounted == 0
    project_all(projection, log)
    [sums] = ReadModels(engine).accounting({TRANSACTIONS.name: log.ends()})
    assert (sums.projected, sums.void, sums.dead, sums.in_flight) == (11, 5, 1, 0)
    assert sums.produced == sum(log.ends())


def test_daily_figures_equal_their_recomputation_by_sql(engine: Engine) -> None:
    project_all(transactions_projection(engine), small_history(), size=2)
    for entity in ("merchant", "customer"):
        assert kept_daily(engine, entity) == recomputed_daily(engine, entity)
        assert kept_daily(engine, entity)


def test_a_reversal_takes_the_fraud_back(engine: Engine) -> None:
    log, projection = CheckedLog(partitions=1), transactions_projection(engine)
    log.append(imported(transaction("x")), labelled("x", 1, NOON + 3 * DAY))
    project_all(projection, log)
    [figures] = kept_daily(engine, "merchant")
    assert figures[8:] == (1, 1150, 0)
    log.append(labelled("x", 0, NOON + 30 * DAY, "r2", "reversal"))
    project_all(projection, log)
    [figures] = kept_daily(engine, "merchant")
    assert figures[8:] == (0, 0, 1)
    assert [label.value for label in ReadModels(engine).labels_for_transaction("x")] == [1, 0]


def test_a_label_that_becomes_known_late_does_not_replace_a_later_one(engine: Engine) -> None:
    log, projection = CheckedLog(partitions=1), transactions_projection(engine)
    log.append(imported(transaction("x")), labelled("x", 0, NOON + 9 * DAY, "r2"))
    log.append(labelled("x", 1, NOON + 3 * DAY))
    project_all(projection, log)
    current = ReadModels(engine).current_label("x")
    assert current is not None
    assert current.value == 0
    assert kept_daily(engine, "customer") == recomputed_daily(engine, "customer")


def test_an_id_used_anew_replaces_its_rows_and_moves_its_figures(engine: Engine) -> None:
    log, projection = CheckedLog(partitions=1), transactions_projection(engine)
    old, new = transaction("x"), transaction("x", NOON + 401 * DAY, merchant_id="other")
    log.append(submitted(old), scored(old, "decline"), labelled("x", 1, NOON + DAY))
    log.append(submitted(new, digest="d2"))
    project_all(projection, log, size=1)
    stored = ReadModels(engine).transaction("x")
    assert stored is not None
    assert stored.digest == "d2"
    found = dump(engine)
    assert (found["decisions"], found["labels"]) == ([], [])
    assert [row[1] for row in found["merchant_daily"]] == ["other"]
