"""Rows cleaned by columns are what they are row by row: transactions, labels, rejects, counts."""

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.imports import handler
from commands.imports.columns.plain_columns import PlainColumns, are_plain
from commands.imports.handler import ImportPorts, ImportRows, import_rows
from commands.imports.mapping.binding import bind
from commands.imports.mapping.model import FileMapping, LabelMapping
from commands.imports.readers.column_batch import ColumnBatch, TextBatch, to_plain
from commands.imports.readers.rows import Batch, RowBatch
from commands.imports.rejects import Reject
from commands.imports.summary import ImportSummary
from domain.cleaning.absent import USUAL
from domain.cleaning.cards import redact
from domain.events import Envelope
from domain.money import AS_WRITTEN
from domain.times import DAY, from_datetime
from tests.builders.dirty_columns import AT, Made, mappings, sources
from tests.builders.import_files import NOW, TOKENISE, OrderedLog, cleaner

_NO_TIME = "timestamp: expected a date and time such as 2023-10-01T12:34:56Z"


def imported(
    source: Made, by_row: bool, mapping: FileMapping, delay: int = 7 * DAY
) -> tuple[list[Envelope], list[Reject], ImportSummary]:
    log, rejects, summary = OrderedLog(), list[Reject](), ImportSummary()
    ports = ImportPorts(
        cleaner=cleaner(),
        log=log,
        clock=lambda: NOW,
        redact=lambda text: redact(text, TOKENISE),
        reject=rejects.append,
    )
    command = ImportRows(
        name="made",
        correlation_id="a correlation",
        binding=bind(source.columns, mapping),
        label_delay=delay,
        again=lambda: source,
    )
    with pytest.MonkeyPatch.context() as patched:
        if by_row:
            patched.setattr(handler, "are_plain", lambda _: False)
        import_rows(command, source, ports, summary)
    return log.appended, rejects, summary


@given(source=sources(), mapping=mappings(), delay=st.sampled_from([0, DAY, 7 * DAY]))
@settings(deadline=None)
def test_columns_give_what_rows_give(source: Made, mapping: FileMapping, delay: int) -> None:
    assert imported(source, False, mapping, delay) == imported(source, True, mapping, delay)


def test_labels_of_late_rows_are_sent_at_once_in_a_batch_as_row_by_row() -> None:
    days = ["2024-01-09T10:00:00Z", "2024-01-02T10:00:00Z", "2024-01-02T11:00:00Z"]
    rows = [
        {"transaction_id": f"t{n}", "timestamp": day, "amount": 1, "fraud": 0 if n else None}
        for n, day in enumerate(days)
    ]
    batches: list[Batch] = [
        RowBatch([(1, rows[0])]), RowBatch([(2, rows[1]), (3, rows[2])]),
    ]  # fmt: skip
    source, mapping = Made(list(rows[0]), batches), FileMapping(label=LabelMapping("fraud"))
    found = imported(source, False, mapping, DAY)
    assert found == imported(source, True, mapping, DAY)
    # All of them are known by the time of the first row, which has no label itself.
    assert [event.subject for event in found[0]] == ["t0", "t1", "t1", "t2", "t2"]


def test_clean_rows_are_not_left_to_the_rows_way() -> None:
    columns: dict[str, list[Any]] = {
        "transaction_id": [1, 2, 3],
        "timestamp": [AT, AT, AT],
        "amount": [1.5, 2.25, 3.0],
        "card_id": [7, 8, 7],
        "note": ["a", None, "b"],
    }
    batch = pa.RecordBatch.from_pydict(columns)
    plain = [to_plain(each.type) for each in batch.columns]
    columnar: Batch = ColumnBatch(1, batch, list(columns), plain)
    rows = RowBatch(columnar)
    binding = bind(list(columns), FileMapping())
    for each in (columnar, rows):
        found = PlainColumns(binding, cleaner(), USUAL).rows(each, NOW, AS_WRITTEN)
        made = [each for each in found.transactions if each is not None]
        assert [each.transaction_id for each in made] == ["1", "2", "3"]
        assert [each.attributes for each in made] == [{"note": "a"}, {}, {"note": "b"}]


def test_attributes_in_a_column_of_their_own_are_no_reason_to_leave_a_row() -> None:
    rows = [
        {"transaction_id": str(at), "timestamp": AT, "amount": 1.5, "attributes": each}
        for at, each in enumerate(['{"a":[1]}', None, {"b": 2}])
    ]
    binding = bind(list(rows[0]), FileMapping())
    assert are_plain(binding)
    found = PlainColumns(binding, cleaner(), USUAL).rows(
        RowBatch(enumerate(rows, 1)), NOW, AS_WRITTEN
    )
    assert [each.attributes for each in found.transactions] == [{"a": [1]}, {}, {"b": 2}]


def test_a_position_of_zeros_and_ids_of_any_length_are_what_they_are_row_by_row() -> None:
    base = {"timestamp": "2024-01-05T10:00:01Z", "amount": 1}
    places = [(0.0, 0.0), (0, 0), (0.0, 5.0), (None, 5.0)]
    keys = [10**18, 10**200, -(10**300), 4111111111111111]
    rows = [
        {**base, "transaction_id": key, "lat": lat, "lon": lon}
        for key, (lat, lon) in zip(keys, places, strict=True)
    ]
    source = Made(list(rows[0]), [RowBatch([each]) for each in enumerate(rows, 1)])
    log, rejects, summary = imported(source, False, FileMapping())
    assert (log, rejects, summary) == imported(source, True, FileMapping())
    assert [event.subject for event in log] == [str(keys[0])]
    assert summary.notes == {"rows with no position: left out": 1}
    assert [each.field for each in rejects] == ["transaction_id", "transaction_id", "lat"]


_DIGITS = st.text("0123456789", min_size=2, max_size=2)
_WRITTEN = st.builds(
    "{}{}-{}-{}{}{}:{}:{}{}".format,
    *(st.sampled_from(["19", "20"]), _DIGITS, st.sampled_from(["02", "00", "12", "13"]), _DIGITS),
    *(st.sampled_from(" Tt_"), _DIGITS, _DIGITS, st.sampled_from(["00", "59", "60", " 1"])),
    st.sampled_from(["", ".250", ".123456", ",250", "Z", ".25", "+01"]),
)


@given(st.lists(_WRITTEN | st.just("2024-02-29 23:59:59"), min_size=1, max_size=2))
def test_times_written_alike_are_read_at_once_as_one_by_one(written: list[str]) -> None:
    times = TextBatch(range(len(written)), ["when"], written).times("when")
    if times is not None:
        assert times == ([from_datetime(datetime.fromisoformat(each)) for each in written], True)


def test_a_decimal_sign_counts_from_the_row_on_that_needed_it() -> None:
    amounts = ["5e3", "1.000", "5e3", "12,50"]
    columns = {
        "transaction_id": list("abcd"),
        "timestamp": ["2024-01-05T10:00:01Z"] * 4,
        "amount": amounts,
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    source = Made(list(columns), [RowBatch(enumerate(rows, 1))])
    found = imported(source, False, FileMapping())
    assert found == imported(source, True, FileMapping())
    assert [event.data.transaction.amount for event in found[0]] == [500_000, 100_000, 1250]
    assert [each.line for each in found[1]] == [3]


def test_times_that_no_calendar_holds_are_refused_in_columns_too() -> None:
    columns = {
        "transaction_id": pa.array(["a", "b"]),
        "timestamp": pa.array([1_704_448_801, 2**60]).cast(pa.timestamp("us")),
        "amount": pa.array([1, 1]),
    }
    batch = pa.RecordBatch.from_pydict(columns)
    plain = [to_plain(each.type) for each in batch.columns]
    source = Made(list(columns), [ColumnBatch(1, batch, list(columns), plain)])
    found = imported(source, False, FileMapping())
    assert found == imported(source, True, FileMapping())
    assert [each.reason for each in found[1]] == ["timestamp: is before 1990", _NO_TIME]


def test_values_that_are_equal_and_of_another_kind_are_cleaned_each_by_itself() -> None:
    ids = [1.0, True, 1, "1", 0.0, False]
    base = {"timestamp": "2024-01-05T10:00:01Z", "amount": 1}
    rows = [{**base, "transaction_id": f"t{at}", "card_id": card} for at, card in enumerate(ids)]
    source = Made(["transaction_id", "card_id", *base], [RowBatch(enumerate(rows, 1))])
    log, rejects, _ = imported(source, False, FileMapping())
    assert [event.data.transaction.card_id for event in log] == ["1", "1", "1", "0"]
    assert [(each.line, each.field) for each in rejects] == [(2, "card_id"), (6, "card_id")]


def test_a_card_number_within_an_id_is_a_token_in_columns_too() -> None:
    base = {"timestamp": "2024-01-05T10:00:01Z", "amount": 1}
    ids = ["5555555555554444/12", "card 7", "5105105105105100-1-2", "1234567890128/1"]
    rows = [{**base, "transaction_id": f"t{at}", "card_id": card} for at, card in enumerate(ids)]
    source = Made(["transaction_id", "card_id", *base], [RowBatch(enumerate(rows, 1))])
    found = imported(source, False, FileMapping())
    assert found == imported(source, True, FileMapping())
    first, *others, last = (event.data.transaction.card_id for event in found[0])
    assert first == f"{TOKENISE('5555555555554444').token}/12"
    assert others == ["card 7", f"{TOKENISE('5105105105105100').token}-1-2"]
    assert last == "1234567890128/1"  # in no issuer's range
