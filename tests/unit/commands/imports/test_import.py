"""Import of rows: every row becomes history or a reject, at its own time."""

import gzip
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.imports.facts import Facts
from commands.imports.flow.back_pressure import AT_ONCE
from commands.imports.flow.schedule import ReplaySchedule
from commands.imports.label_queue import NEVER, LabelQueue
from commands.imports.seen_ids import SeenIds
from commands.imports.summary import ImportSummary
from domain.errors import InvalidInputError, LogUnavailableError
from domain.events import Envelope, TransactionImported, TransactionLabelled, TransactionSubmitted
from domain.times import DAY, SECOND
from eventlog.topics import Topic
from tests.builders.import_files import (
    NOW,
    START,
    OrderedLog,
    Rows,
    rows_of,
    run_import,
    write_csv,
    write_ndjson,
)
from tests.fakes.events import labelled


def test_every_row_becomes_history_at_its_own_time(tmp_path: Path) -> None:
    done = run_import(write_ndjson(tmp_path / "h.ndjson", rows_of(20)))
    summary = done.summary
    assert (summary.rows, summary.accepted, summary.rejected, summary.labels) == (20, 20, 0, 0)
    assert summary.complete
    first = done.log.appended[0]
    assert isinstance(first.data, TransactionImported)
    assert (first.id, first.subject) == ("fraud.transaction.imported/t0", "t0")
    assert (first.source, first.correlation_id) == ("retrace/import/h.ndjson", "a correlation")
    assert first.time == first.known_time == START == first.data.transaction.timestamp
    assert (first.data.origin, first.data.line) == ("h.ndjson", 1)
    assert first.data.transaction.amount == 25
    assert first.data.transaction.attributes == {"fraud": 1, "note": "as it came"}


def test_labels_of_both_values_come_when_they_were_known(tmp_path: Path) -> None:
    done = run_import(write_ndjson(tmp_path / "h.ndjson", rows_of(100)), label="fraud")
    labels = done.of(TransactionLabelled)
    assert (done.summary.labels, done.summary.labels_fraud) == (100, 20)
    assert {(e.data.value, e.data.kind) for e in labels} == {(1, "fraud_report"), (0, "genuine")}
    transactions = {e.subject: e.data.transaction for e in done.of(TransactionImported)}
    for event in labels:
        transaction, label = transactions[event.subject], event.data
        assert event.time == event.known_time == transaction.timestamp + 7 * DAY
        assert (label.reporter, label.reference) == ("import:h.ndjson", event.subject)
        assert label.transaction_time == transaction.timestamp
        assert (label.card_id, label.merchant_id) == (transaction.card_id, transaction.merchant_id)
        assert label.base_amount == transaction.base_amount
        assert "fraud" not in transaction.attributes


def test_everything_is_appended_in_the_order_in_which_it_was_known(tmp_path: Path) -> None:
    done = run_import(write_ndjson(tmp_path / "h.ndjson", rows_of(200)), label="fraud")
    known = [event.known_time for event in done.log.appended]
    assert known == sorted(known)
    kinds = [type(event.data) for event in done.log.appended]
    assert kinds[28:31] == [TransactionLabelled, TransactionImported, TransactionLabelled]


def test_a_label_that_is_not_known_yet_is_held_and_counted(tmp_path: Path) -> None:
    now = START + 8 * DAY
    done = run_import(write_ndjson(tmp_path / "h.ndjson", rows_of(32)), label="fraud", now=now)
    assert (done.summary.labels, done.summary.labels_held) == (5, 27)
    assert max(event.known_time for event in done.log.appended) <= now
    later = run_import(tmp_path / "h.ndjson", label="fraud", now=NOW)
    assert {e.id for e in done.log.appended} < {e.id for e in later.log.appended}


DIRTY: Rows = [
    {"transaction_id": " t900 ", "currency": "eur"},
    {"transaction_id": "t901", "amount": -1},
    {"transaction_id": "t902", "timestamp": "never", "amount": "x"},
    {"transaction_id": "t1"},
    {"transaction_id": "t903", "fraud": "perhaps"},
    {"transaction_id": "t904", "fraud": None},
    {"transaction_id": "t905", "amount": 0},
]


def test_every_row_is_accounted_for_and_a_rejected_one_has_no_label(tmp_path: Path) -> None:
    base: dict[str, Any] = {"timestamp": "2024-03-01T00:00:00Z", "amount": 1, "fraud": 1}
    rows = rows_of(10) + [{**base, **change} for change in DIRTY]
    done = run_import(write_ndjson(tmp_path / "h.ndjson", rows), label="fraud")
    summary = done.summary
    assert (summary.rows, summary.accepted, summary.rejected) == (17, 13, 4)
    assert (summary.labels, summary.cleaned) == (12, 1)
    assert summary.cleaned_fields == {"transaction_id": 1, "currency": 1}
    assert [(reject.line, reject.field) for reject in done.rejects] == [
        (12, "amount"), (13, "timestamp"), (14, "transaction_id"), (15, "fraud"),
    ]  # fmt: skip
    assert [error.field for error in done.rejects[1].errors] == ["timestamp", "amount"]
    labelled = {event.subject for event in done.of(TransactionLabelled)}
    assert labelled == {f"t{n}" for n in range(10)} | {"t900", "t905"}


def test_an_empty_label_says_nothing(tmp_path: Path) -> None:
    rows = [{**row, "fraud": ""} for row in rows_of(3)]
    done = run_import(write_csv(tmp_path / "h.csv", rows), label="fraud")
    assert (done.summary.accepted, done.summary.labels, done.summary.labels_held) == (3, 0, 0)


def test_importing_again_gives_the_same_events(tmp_path: Path) -> None:
    path = write_ndjson(tmp_path / "h.ndjson", rows_of(50))
    first, second = (run_import(path, label="fraud").log.appended for _ in range(2))
    assert first == second


def test_a_rehearsal_submits_rows_for_the_scoring_agent(tmp_path: Path) -> None:
    done = run_import(write_ndjson(tmp_path / "h.ndjson", rows_of(5)), label="fraud", score=True)
    submitted = done.of(TransactionSubmitted)
    assert [event.data.mode for event in submitted] == ["submit"] * 5
    assert all(event.known_time == event.time for event in submitted)
    assert submitted[0].source == "retrace/import/h.ndjson"
    assert not done.of(TransactionImported)
    assert done.summary.labels == 5


def test_no_more_rows_are_read_than_asked_for(tmp_path: Path) -> None:
    path = write_ndjson(tmp_path / "h.ndjson", rows_of(30))
    assert run_import(path, limit=7).summary.rows == 7
    assert run_import(path, limit=100).summary.rows == 30


def test_card_numbers_reach_neither_the_log_nor_the_rejects(tmp_path: Path) -> None:
    card = "4111 1111 1111 1111"
    rows = [{**row, "card_id": card, "note": f"paid with {card}"} for row in rows_of(4)]
    rows[1]["amount"] = card
    done = run_import(write_csv(tmp_path / "h.csv", rows))
    assert done.summary.rejected == 1
    seen = repr(done.log.appended) + repr(done.rejects)
    assert "1111 1111" not in seen
    assert "41111111" not in seen
    assert done.log.appended[0].data.transaction.card_last4 == "1111"


def test_rows_out_of_order_are_taken_and_counted(tmp_path: Path) -> None:
    done = run_import(write_ndjson(tmp_path / "h.ndjson", rows_of(10)[::-1]), label="fraud")
    assert (done.summary.accepted, done.summary.labels, done.summary.out_of_order) == (10, 10, 9)
    assert done.summary.first_time == START


def test_rows_older_than_what_the_log_holds_are_counted(tmp_path: Path) -> None:
    path = write_ndjson(tmp_path / "h.ndjson", rows_of(10, step=DAY))
    for newest, older in ((None, 0), (START, 0), (START + 3 * DAY, 3), (START + 99 * DAY, 10)):
        assert run_import(path, ports={"newest": newest}).summary.into_past == older


def test_what_was_sent_is_known_when_the_log_fails(tmp_path: Path) -> None:
    class Failing(OrderedLog):
        def append_nowait(self, topic: Topic, key: str | None, envelope: Envelope) -> None:
            if len(self.appended) == 3:
                raise LogUnavailableError("gone")
            super().append_nowait(topic, key, envelope)

    log = Failing()
    with pytest.raises(LogUnavailableError):
        run_import(write_ndjson(tmp_path / "h.ndjson", rows_of(10)), log=log)
    assert len(log.appended) == 3


CHUNK = 4096


FACTS = Facts(source="s", origin="o", correlation_id="c", score=False)


def pending(number: int) -> Envelope:
    label = labelled(f"transaction {number}", value=number % 2).data
    return FACTS.labelled([number], [label])[0]


def test_labels_leave_the_queue_as_they_entered_it(tmp_path: Path) -> None:
    queue, pushed = LabelQueue(FACTS.labelled, tmp_path, CHUNK), 3 * CHUNK + 17
    taken: list[Envelope] = []
    for number in range(pushed):
        queue.push(pending(number))
        taken += queue.due(number // 3)
        assert queue.next_known == (len(taken) if len(queue) else NEVER) > number // 3
    taken += queue.due(pushed)
    assert taken == [pending(number) for number in range(pushed)]
    assert len(queue) == 0
    queue.close()
    assert not list(tmp_path.iterdir())


def test_waiting_labels_take_no_memory_however_many_they_are(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        queue = LabelQueue(FACTS.labelled, tmp_path, CHUNK)
        tracemalloc.start()
        for number in range(count):
            queue.push(pending(number))
        assert len(queue) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        queue.close()
        return most

    assert peak(16 * CHUNK) < 1.2 * peak(2 * CHUNK)


def test_an_id_is_remembered_in_a_few_bytes() -> None:
    tracemalloc.start()
    seen = SeenIds()
    assert all(seen.add(f"id {number}") for number in range(100_000))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not any(seen.add(f"id {number}") for number in range(0, 100_000, 1000))
    assert size < 3_000_000


@given(st.lists(st.lists(st.integers(0, 300), max_size=200), max_size=8))
def test_ids_are_new_once_whether_they_come_alone_or_many_at_a_time(batches: list[Any]) -> None:
    one, many = SeenIds(), SeenIds()
    for batch in batches:
        keys = [f"id {number}" for number in batch]
        assert many.add_all(keys) == list(map(one.add, keys))


def test_many_ids_at_a_time_are_all_remembered() -> None:
    seen, keys = SeenIds(), [f"id {number}" for number in range(300_000)]
    for start in range(0, len(keys), 5_000):
        assert all(seen.add_all(keys[start : start + 5_000]))
    assert not any(map(seen.add, keys[::100]))
    assert not any(seen.add_all(keys))


def test_history_passes_in_scaled_time() -> None:
    clock, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    pace = ReplaySchedule(60.0, lambda: clock[0], sleep)
    for second in (0, 60, 30, 180):
        pace(START + second * SECOND)
    assert slept == [1.0, 2.0]


def test_each_record_is_asked_for_before_it_is_appended(tmp_path: Path) -> None:
    log, asked = OrderedLog(), list[tuple[int, int]]()

    def back_pressure(count: int) -> None:
        asked.append((count, len(log.appended)))

    path = write_ndjson(tmp_path / "h.ndjson", rows_of(2_500, SECOND))
    run_import(path, label="fraud", log=log, ports={"back_pressure": back_pressure})
    # Of labels too, also those that follow the last row.
    assert len(log.appended) == 5_000
    assert asked == [(AT_ONCE, at) for at in range(0, 5_000, AT_ONCE)]


def test_labels_left_after_the_last_row_are_not_waited_for(tmp_path: Path) -> None:
    moments: list[int] = []
    rows = rows_of(50, DAY)
    done = run_import(
        write_ndjson(tmp_path / "h.ndjson", rows), label="fraud", ports={"schedule": moments.append}
    )
    assert done.summary.labels == 50
    sent = [e.known_time for e in done.log.appended if e.known_time <= START + 49 * DAY]
    assert moments == sent


def test_the_labels_of_a_file_that_is_cut_off_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "h.ndjson.gz"
    whole = write_ndjson(tmp_path / "h.ndjson", rows_of(400))
    packed = gzip.compress(whole.read_bytes())
    path.write_bytes(packed[: len(packed) * 3 // 4])
    log = OrderedLog()
    with pytest.raises(InvalidInputError, match="cut off"):
        run_import(path, label="fraud", log=log)
    kinds = Counter(type(event.data) for event in log.appended)
    assert 0 < kinds[TransactionLabelled] == kinds[TransactionImported] < 400


def test_labels_that_an_interruption_left_are_counted(tmp_path: Path) -> None:
    def interrupted(_summary: ImportSummary) -> None:
        raise KeyboardInterrupt

    summary = ImportSummary()
    path = write_ndjson(tmp_path / "h.ndjson", rows_of(40))
    with pytest.raises(KeyboardInterrupt):
        run_import(path, label="fraud", ports={"progress": interrupted}, summary=summary)
    assert (summary.labels, summary.labels_held) == (12, 28)
    assert not summary.complete
