"""Data sets of several files: the columns of a second file are added to rows by their id."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from commands.imports.handler import ImportPorts
from commands.imports.mapping.yaml_file import shipped_text
from commands.imports.rejects import Reject
from commands.imports.summary import ImportSummary
from domain.cleaning.cards import redact
from domain.errors import InvalidInputError
from domain.events import TransactionImported, TransactionLabelled
from domain.times import to_rfc3339
from operations.log.imports import ImportOptions, opened_import, run_import
from operations.log.inspection import inspect_file
from tests.builders.import_files import NOW, TOKENISE, Imported, OrderedLog, cleaner, write_parquet

ELLIPTIC = {
    "elliptic_txs_features.csv": "".join(
        f"{key},{step},-0.1714692896288031,{'0.5,' * 163}-1.2e-3\n"
        for key, step in ((230425980, 1), (5530458, 1), (2320, 2), (77, 2))
    ),
    "elliptic_txs_classes.csv": "txId,class\n2320,unknown\n5530458,2\n230425980,1\n",
    "elliptic_txs_edgelist.csv": "txId1,txId2\n230425980,5530458\n",
}
MAPPING = """
merge: [{file: people.csv, on: {payer: person, bank: bank}}]
fields: {transaction_id: id, timestamp: t, amount: a, country: land, customer_id: payer}
"""
PAYMENTS = (
    "id,t,a,payer,bank,name\n1,2024-01-02T10:00:00Z,5,7,x,shop\n2,2024-01-02T10:00:01Z,6,8,x,"
)
PEOPLE = "bank,land,person,name\nx,DE,7.0,Ann\ny,FR,8,Bob\n"


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)


def imported(file: Path, mapping: str | Path, entries: Sequence[str] = ()) -> Imported:
    done = Imported(ImportSummary(), OrderedLog())
    rejects: list[Reject] = done.rejects
    options = ImportOptions(file=file, mapping_file=str(mapping), mapping=entries)
    with opened_import(options) as opened:
        ports = ImportPorts(
            cleaner=cleaner(),
            log=done.log,
            clock=lambda: NOW,
            redact=lambda text: redact(text, TOKENISE),
            reject=rejects.append,
        )
        run_import(opened, ports, done.summary)
    return done


def people(folder: Path, **files: str) -> Path:
    put(folder, {"payments.csv": PAYMENTS, "people.csv": PEOPLE, "m.yaml": MAPPING} | files)
    return folder / "payments.csv"


def test_o17_elliptic(tmp_path: Path) -> None:
    put(tmp_path, ELLIPTIC)
    done = imported(tmp_path / "elliptic_txs_features.csv", "elliptic")
    found = [event.data.transaction for event in done.of(TransactionImported)]
    assert [each.transaction_id for each in found] == ["230425980", "5530458", "2320", "77"]
    assert [to_rfc3339(each.timestamp) for each in found[1:3]] == [
        "2016-01-08T00:00:00.000001Z", "2016-01-15T00:00:00Z",
    ]  # fmt: skip
    labels = {event.subject: event.data.value for event in done.of(TransactionLabelled)}
    assert labels == {"230425980": 1, "5530458": 0}
    assert all(each.attributes == {} for each in found)
    assert done.summary.notes == {"rows whose id is not in elliptic_txs_classes.csv": 1}


def test_o17_elliptic_plus_plus(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "txs_features.csv": "txId,Time step,Local_feature_1\n3321,1,-0.16\n11108,2,0.5\n",
            "txs_classes.csv": "txId,class\n3321,3\n11108,1\n",
        },
    )
    done = imported(tmp_path / "txs_features.csv", "elliptic-plus-plus")
    assert done.summary.accepted == 2
    assert [(e.subject, e.data.value) for e in done.of(TransactionLabelled)] == [("11108", 1)]


def test_inspection_finds_the_second_file(tmp_path: Path) -> None:
    put(tmp_path, ELLIPTIC)
    file = tmp_path / "elliptic_txs_features.csv"

    def shipped() -> str:
        found = inspect_file(file, None, cleaner(), lambda text: redact(text, TOKENISE), NOW)
        return found.proposal.shipped

    assert shipped() == "elliptic"
    (tmp_path / "elliptic_txs_classes.csv").unlink()
    assert shipped() == ""


def test_columns_are_added_by_an_id_of_several_columns(tmp_path: Path) -> None:
    done = imported(people(tmp_path), tmp_path / "m.yaml")
    found = [event.data.transaction for event in done.of(TransactionImported)]
    assert [(each.country, each.attributes) for each in found] == [
        ("DE", {"bank": "x", "name": "shop", "name.1": "Ann"}),
        (None, {"bank": "x"}),
    ]
    assert done.summary.notes == {"rows whose id is not in people.csv": 1}


def test_the_two_files_may_be_of_different_kinds(tmp_path: Path) -> None:
    mapping = MAPPING.replace("people.csv", "people.parquet")
    file = people(tmp_path, **{"m.yaml": mapping})
    write_parquet(tmp_path / "people.parquet", [{"person": 7.0, "bank": "x", "land": "DE"}])
    done = imported(file, tmp_path / "m.yaml")
    assert [e.data.transaction.country for e in done.of(TransactionImported)] == ["DE", None]


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (PEOPLE + "x,IT,7,Eve\n", "people.csv, line 4: has the id of a line before it"),
        (PEOPLE + "x,IT\n", "people.csv, line 4: has 2 values, the header names 4"),
        ("bank,land\nx,DE\n", "merge: no column 'person' in people.csv; it has bank, land"),
    ],
)
def test_a_second_file_that_cannot_be_relied_on_stops_before_the_first_row(
    tmp_path: Path, second: str, told: str
) -> None:
    file = people(tmp_path, **{"people.csv": second})
    with pytest.raises(InvalidInputError, match=told):
        imported(file, tmp_path / "m.yaml")


def test_a_second_file_that_is_missing_is_named_with_its_folder(tmp_path: Path) -> None:
    put(tmp_path, {"elliptic_txs_features.csv": ELLIPTIC["elliptic_txs_features.csv"]})
    with pytest.raises(
        InvalidInputError, match=r"elliptic_txs_classes\.csv are to be added"
    ) as told:
        imported(tmp_path / "elliptic_txs_features.csv", "elliptic")
    assert str(tmp_path) in str(told.value)


def test_a_folder_named_as_a_shipped_mapping_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, ELLIPTIC)
    (tmp_path / "elliptic").mkdir()
    (tmp_path / "own").write_text(shipped_text("elliptic"))
    monkeypatch.chdir(tmp_path)
    for mapping in ("elliptic", "own"):
        done = imported(Path("elliptic_txs_features.csv"), mapping)
        assert done.summary.accepted == 4


def test_others_are_left_out_where_all_are_ignored(tmp_path: Path) -> None:
    file = people(tmp_path, **{"m.yaml": MAPPING + 'ignore: ["*"]\n'})
    done = imported(file, tmp_path / "m.yaml")
    assert [e.data.transaction.attributes for e in done.of(TransactionImported)] == [{}, {}]
