"""Import of folders, cut archives and in dry runs: every row is counted."""

import gzip
from contextlib import closing
from pathlib import Path

import pytest

from commands.imports.handler import ImportPorts, import_rows
from commands.imports.nothing_appended import NothingAppended
from commands.imports.origin import correlation_of
from commands.imports.rejects import Reject, rejects_path_of
from commands.imports.summary import ImportSummary
from domain.errors import InvalidInputError
from domain.events import TransactionImported
from operations.log.imports import ImportOptions, opened_import
from tests.builders.import_files import NOW, cleaner, rows_of, run_import, write_csv


def test_a_folder_is_one_import_and_each_row_knows_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "months"
    folder.mkdir()
    rows = rows_of(20)
    rows[15]["amount"] = -1
    write_csv(folder / "01.csv", rows[:12])
    write_csv(folder / "02.csv", rows[12:])
    done = run_import(folder, label="fraud")
    assert (done.summary.rows, done.summary.accepted, done.summary.labels) == (20, 19, 19)
    places = [(e.data.origin, e.data.line) for e in done.of(TransactionImported)]
    assert (places[0], places[12]) == (("months/01.csv", 2), ("months/02.csv", 2))
    assert [(reject.part, reject.line) for reject in done.rejects] == [("months/02.csv", 5)]


def test_the_correlation_of_a_folder_follows_its_files(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", rows_of(2))
    first = correlation_of(tmp_path)
    assert correlation_of(tmp_path) == first
    write_csv(tmp_path / "b.csv", rows_of(1))
    assert correlation_of(tmp_path) != first


@pytest.mark.parametrize("label", [None, "fraud"])
def test_a_cut_archive_is_imported_up_to_the_cut(tmp_path: Path, label: str | None) -> None:
    plain = write_csv(tmp_path / "a.csv", rows_of(600))
    path = tmp_path / "a.csv.gz"
    packed = gzip.compress(plain.read_bytes())
    path.write_bytes(packed[: len(packed) * 3 // 4])
    summary, rejects = ImportSummary(), list[Reject]()
    ports = ImportPorts(
        cleaner=cleaner(),
        log=NothingAppended(),
        clock=lambda: NOW,
        redact=str,
        reject=rejects.append,
    )
    with (
        pytest.raises(InvalidInputError, match="cut off after"),
        opened_import(ImportOptions(file=path, label=label)) as opened,
    ):
        import_rows(opened.command, opened.rows, ports, summary)
    assert summary.rows == summary.accepted + summary.rejected
    assert 100 < summary.accepted < 600
    assert [reject.errors[0].message for reject in rejects] == ["is cut off"]
    assert not summary.complete


def test_rejects_of_stdin_and_of_a_pattern_have_a_plain_name(tmp_path: Path) -> None:
    assert rejects_path_of(Path("-"), None) == Path("stdin.rejects.ndjson")
    found = rejects_path_of(tmp_path / "*.csv", None)
    assert found == tmp_path / "_.csv.rejects.ndjson"


def test_an_import_of_a_stated_encoding_reads_it_each_time(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("transaction_id,timestamp,amount,né\n".encode("cp1252"))
    with opened_import(ImportOptions(file=path, encoding="cp1252")) as opened:
        assert opened.command.again is not None
        with closing(opened.command.again()) as again:
            assert (
                again.columns
                == opened.rows.columns
                == ("transaction_id", "timestamp", "amount", "né")
            )
