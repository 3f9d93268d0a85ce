"""Input files: formats, columns, labels, spans of time, rejects."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.imports.mapping.binding import bind
from commands.imports.mapping.labels import read_label
from commands.imports.mapping.plain import plain_mapping
from commands.imports.readers.opening import open_rows
from commands.imports.readers.rows import LONGEST_LINE, MalformedRow, Row
from commands.imports.rejects import Reject, RejectFile
from domain.durations import parse_duration
from domain.errors import FieldError, InvalidInputError
from domain.events import TransactionImported
from domain.times import DAY, HOUR
from tests.builders.import_files import rows_of, run_import, write_csv, write_ndjson, write_parquet


def read(path: Path) -> list[tuple[int, Row]]:
    source = open_rows(path)
    found = [row for batch in source.batches() for row in batch]
    assert source.fraction() == 1.0
    source.close()
    return found


def test_the_three_formats_give_the_same_transactions(tmp_path: Path) -> None:
    rows = rows_of(50)
    files = [
        write_csv(tmp_path / "a.csv", rows),
        write_ndjson(tmp_path / "a.ndjson", rows),
        write_parquet(tmp_path / "a.parquet", rows),
        write_csv(tmp_path / "semicolons.txt", rows, delimiter=";"),
        write_csv(tmp_path / "tabs.tsv", rows, delimiter="\t"),
    ]
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(files[0].read_bytes()))
    wide = tmp_path / "wide.csv"
    wide.write_text(files[0].read_text(), encoding="utf-16")
    found = [
        [
            event.data.transaction
            for event in run_import(path, label="fraud").of(TransactionImported)
        ]
        for path in [*files, packed, wide]
    ]
    assert len(found[0]) == 50
    assert all(each == found[0] for each in found)


def test_a_quoted_value_may_hold_delimiters_and_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbf a , b\r\n"x,\n""y""",1\r\n\r\n2,\r\n')
    assert read(path) == [(2, {"a": 'x,\n"y"', "b": "1"}), (5, {"a": "2", "b": None})]


def test_broken_rows_are_told_apart_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1\n1,2,3\n\xff,2\n" + b"x" * LONGEST_LINE + b",1\n3,4\n")
    found = read(path)
    assert [line for line, row in found if isinstance(row, MalformedRow)] == [2, 3, 4, 5]
    assert isinstance(found[2][1], MalformedRow)
    assert "--encoding cp1252" in found[2][1].reason
    assert found[-1] == (6, {"a": "3", "b": "4"})


def test_broken_lines_of_ndjson_are_told_apart_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    long = b'{"a": "' + b"x" * (3 * LONGEST_LINE) + b'"}'
    lines = [b'{"a": 1}', b"", b"{", b"[1]", b"\xff", long, b"[" * 5000, b'{"a": 2}']
    path.write_bytes(b"\n".join(lines))
    found = read(path)
    assert [line for line, row in found if isinstance(row, MalformedRow)] == [3, 4, 5, 6, 7]
    assert (found[0], found[-1]) == ((1, {"a": 1}), (8, {"a": 2}))
    assert all(len(row.original) < 3000 for _, row in found if isinstance(row, MalformedRow))


def test_parquet_gives_plain_values(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table(
        {
            "t": pa.array([1717149600_000_000_001, None], pa.timestamp("ns", tz="UTC")),
            "f": pa.array([float("nan"), 1.5]),
            "b": pa.array([b"ab", b"\xff"]),
        }
    )
    path = tmp_path / "a.parquet"
    parquet.write_table(table, path)
    assert read(path) == [
        (1, {"t": datetime(2024, 5, 31, 10, tzinfo=UTC), "f": None, "b": "ab"}),
        (2, {"t": None, "f": 1.5, "b": "/w=="}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.ndjson", b" \n ", "is empty"),
        ("a.csv", b"\n\n", "is empty"),
        ("a.parquet", b"PAR1 and then nothing", "is Parquet that is cut off"),
        ("a.bin", b"\x00\x01\x02", "unknown format"),
        ("a", b"just words", "unknown format"),
        ("a.csv.gz", b"\x1f\x8b\x08broken", "gzip data that is cut off before its first row"),
    ],
)
def test_an_unreadable_file_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=said):
        open_rows(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="does not exist"):
        open_rows(tmp_path / "none.csv")
    with pytest.raises(InvalidInputError, match="holds no file with data"):
        open_rows(tmp_path)


def test_parquet_that_ends_in_damage_is_said_to_be_so(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", rows_of(5000))
    content = bytearray(path.read_bytes())
    content[4:2000] = b"\xff" * 1996
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="damaged"):
        read(path)


COLUMNS = ("ID", "WHEN", "HOW_MUCH", "WHO", "FRAUD", "currency", "timestamp")
MAPPED = ["transaction_id=ID", "timestamp=WHEN", "amount=HOW_MUCH"]


def test_columns_fill_fields_and_the_rest_joins_the_attributes() -> None:
    binding = bind(COLUMNS, plain_mapping([*MAPPED, "card_id=WHO", "customer_id=WHO"], "FRAUD"))
    row = dict(zip(COLUMNS, ["1", "t", "2", "w", "0", "EUR", "other"], strict=True))
    assert binding.payload({**row, "note": "n", "nothing": None}) == {
        "transaction_id": "1", "timestamp": "t", "amount": "2", "card_id": "w", "customer_id": "w",
        "currency": "EUR", "attributes": {"timestamp": "other", "note": "n"},
    }  # fmt: skip


def test_an_attributes_column_is_kept_beside_other_columns() -> None:
    binding = bind((*COLUMNS, "attributes"), plain_mapping(MAPPED))
    payload = binding.payload({"ID": "1", "attributes": '{"a": 1}', "WHO": "w"})
    assert (payload["attributes"], payload["WHO"]) == ('{"a": 1}', "w")
    hidden = binding.payload({"ID": "1", "attributes": '{"a": 1}', "timestamp": "other"})
    assert hidden["attributes"] == {"a": 1, "timestamp": "other"}


@pytest.mark.parametrize(
    ("mapping", "label", "said"),
    [
        ([*MAPPED, "card=WHO"], None, "possible are transaction_id, timestamp"),
        ([*MAPPED, "card_id=NOBODY"], None, "it has ID, WHEN"),
        ([*MAPPED, "card_id"], None, "expected canonical=COLUMN"),
        ([*MAPPED, "amount=WHO"], None, "given twice"),
        (MAPPED[:2], None, "add --map amount=COLUMN, with COLUMN one of ID"),
        (MAPPED, "LABEL", "no column 'LABEL'"),
        (MAPPED, "HOW_MUCH", "mapped to a field as well"),
    ],
)
def test_a_bad_mapping_is_told_with_what_is_possible(
    mapping: list[str], label: str | None, said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        bind(COLUMNS, plain_mapping(mapping, label))


def test_labels_are_read_as_files_write_them() -> None:
    assert [read_label(value) for value in (1, 1.0, True, "1", " TRUE ", "fraud")] == [1] * 6
    assert [read_label(value) for value in (0, 0.0, False, "0", "0.0", "genuine")] == [0] * 6
    assert [read_label(value) for value in (None, "", " ")] == [None] * 3
    bad: tuple[object, ...] = (2, -1, 0.5, "maybe", float("nan"), [], {})
    for value in bad:
        with pytest.raises(ValueError, match="expected 1"):
            read_label(value)


def test_spans_of_time_are_read() -> None:
    assert [parse_duration(text, "--x") for text in ("7d", "12 H", "0")] == [7 * DAY, 12 * HOUR, 0]
    for text in ("7", "d", "-1d", "1y", "", "9999999d"):
        with pytest.raises(InvalidInputError, match="--x"):
            parse_duration(text, "--x")


def test_rejects_of_an_earlier_import_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "r.ndjson"
    path.write_text("old")
    file = RejectFile(path, str.upper)
    assert not path.exists()
    file(Reject(3, [FieldError("amount", "is required")], "{}"))
    file.close()
    assert path.read_text() == (
        '{"line": 3, "field": "amount", "reason": "is required", "column": "AMOUNT", '
        '"errors": [{"field": "amount", "reason": "is required"}]}\n'
    )


def test_rejects_that_cannot_be_written_ask_for_another_place(tmp_path: Path) -> None:
    file = RejectFile(tmp_path / "no folder" / "r", str)
    with pytest.raises(InvalidInputError, match="--rejects"):
        file(Reject(1, [FieldError("row", "x")], ""))
