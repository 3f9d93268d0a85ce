"""Damaged files: every line is a row or is told; `python -m tests.damaged 10000` tries more."""

import csv
import io
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from commands.imports.readers.delimited import rows
from commands.imports.readers.delimited.rows import CsvRows
from commands.imports.readers.opening import open_rows
from commands.imports.readers.rows import MalformedRow, Row
from tests.damaged.files import made
from tests.damaged.reading import faults_of


def read(path: Path, encoding: str | None = None) -> list[tuple[int, Row]]:
    source = open_rows(path, encoding)
    found = [row for batch in source.batches() for row in batch]
    source.close()
    return found


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_no_line_of_a_damaged_file_is_lost_or_misread(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert faults_of(made(seed), Path(folder) / "file") == []


_CELLS = st.text('ab,;\t" \x0b\u2028é0', max_size=4)
_ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", ""])


@given(
    st.lists(st.tuples(st.lists(_CELLS, min_size=2, max_size=3), _ENDS), max_size=12),
    st.sampled_from(["utf-8", "cp1252"]),
)
@example([(["2", "a"], "\n"), (["3", "b"], "\r"), (["4", "c"], "\n")], "utf-8")
@example([(["2", "é"], "\n"), (["3", "b"], "\n")], "cp1252")
@settings(deadline=None)
def test_lines_split_many_at_a_time_are_those_looked_at_one_by_one(
    lines: list[Any], encoding: str
) -> None:
    text = f"id,note\n1,{1000 * 'x'}\n" + "".join(",".join(cells) + end for cells, end in lines)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        path = Path(folder) / "a.csv"
        path.write_bytes(text.encode(encoding, "replace"))
        patched.setattr(rows, "BATCH_ROWS", 2)
        many = read(path)
        patched.setattr(CsvRows, "_split", lambda *_: None)
        assert many == read(path)


def test_an_unclosed_quote_costs_its_own_line_alone(tmp_path: Path) -> None:
    lines = [f'{n},"shop {n}, north",{n}.50' for n in range(500)]
    lines[7] = lines[7].replace(' north"', " north")
    lines[490] = lines[490].replace('"shop', "shop")
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["id,shop,amount", *lines]))
    found = read(path)
    assert [line for line, _ in found] == list(range(2, 502))
    assert [line for line, row in found if isinstance(row, MalformedRow)] == [9, 492]


def test_a_value_of_several_lines_is_one_row(tmp_path: Path) -> None:
    text = 'id,note,amount\n1,"Dear Bob,\n\nthanks, Ann",5\n2,"a\r\nb",6\n3,c,7\n'
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    assert read(path) == [
        (2, {"id": "1", "note": "Dear Bob,\n\nthanks, Ann", "amount": "5"}),
        (5, {"id": "2", "note": "a\r\nb", "amount": "6"}),
        (7, {"id": "3", "note": "c", "amount": "7"}),
    ]


_VALUES = ("", "a", "a\nb", "x\n", "\r\n", 'the "Bell"', '\n"', "a,b\r\n", "12\n", "7")


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_what_python_writes_is_read_as_python_reads_it(data: st.DataObject) -> None:
    number = st.builds(
        lambda n, end: f"{n}{end}", st.integers(1, 99), st.sampled_from(("", "", "", "\n"))
    )
    row = st.tuples(number, number, st.sampled_from(_VALUES))
    rows = data.draw(st.lists(row, min_size=1, max_size=12))
    text = io.StringIO()
    style: dict[str, Any] = {
        "quoting": data.draw(st.sampled_from((csv.QUOTE_ALL, csv.QUOTE_MINIMAL))),
        "lineterminator": data.draw(st.sampled_from(("\n", "\r\n"))),
    }
    csv.writer(text, **style).writerows([("id", "amount", "note"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(text.getvalue().encode())
        found = [tuple(given.values()) for _, given in read(path) if isinstance(given, dict)]
    assert found == [(*given[:2], given[2] or None) for given in rows]


def test_a_line_without_an_end_is_not_held_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,2\n")
        for _ in range(40):
            file.write(b'"x,' * (1 << 18))
    tracemalloc.start()
    found = read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [isinstance(row, MalformedRow) for _, row in found] == [False, True]
    assert peak < 12 << 20


def test_two_stray_quotes_do_not_join_the_rows_between_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,shop,amount\n1,"north,2.50\n2,south,3.50\n3,east",4.50\n4,west,5.50\n')
    found = read(path)
    assert [line for line, _ in found] == [2, 3, 4, 5]
    assert found[1] == (3, {"id": "2", "shop": "south", "amount": "3.50"})
    assert isinstance(found[0][1], MalformedRow)
