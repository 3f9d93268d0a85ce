"""The file of a demo: its last rows are sent as requests that mean what its mapping says."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InvalidInputError
from local.demo.data_file import DataFile, ingest_arguments, read_data
from operations.log.imports import ImportOptions
from tests.builders.import_files import NOW, cleaner, rows_of, write_csv

CARD = "4111111111111111"
MAPPING = """
fields:
  transaction_id: Nr
  timestamp: {column: Zeit, order: dmy, zone: Europe/Berlin}
  amount: {column: Betrag, decimal: ","}
  currency: {constant: EUR}
  card_id: Karte
label: {column: Betrug, values: {ja: fraud, nein: genuine}}
"""
LINES = "".join(f"{n};31.01.2024 10:{n:02d};1.0{n:02d},50;{CARD};Café;nein\n" for n in range(29))
LAST = f"29;31.01.2024 10:29;1.029,50;{CARD};Café;ja\n30;31.01.2024;7;{CARD};x;ja\n"


@pytest.fixture
def options(tmp_path: Path) -> ImportOptions:
    file, mapping = tmp_path / "Zahlungen.csv", tmp_path / "m.yaml"
    file.write_bytes(f"Nr;Zeit;Betrag;Karte;Laden;Betrug\n{LINES}{LAST}".encode("cp1252"))
    mapping.write_text(MAPPING)
    return ImportOptions(file=file, mapping_file=str(mapping), encoding="cp1252")


def sent(data: DataFile) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in data.traffic("live-")]


def test_rows_are_sent_as_the_mapping_means_them(options: ImportOptions) -> None:
    data = read_data(options, 3, cleaner(), NOW)
    assert (data.history, data.labelled) == (28, True)
    first, second = sent(data)  # the third has no time of day
    assert first == {
        "transaction_id": "live-28",
        "timestamp": "2024-01-31T09:28:00Z",
        "amount": "1028.50",
        "currency": "EUR",
        "card_id": CARD,
        "attributes": {"Laden": "Café"},
    }
    assert second["transaction_id"] == "live-29"
    assert [each.fraud for each in data.traffic("live-")] == [False, True]


def test_the_history_is_imported_in_the_same_way_from_any_folder(
    options: ImportOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(options.file.parent)
    here = ImportOptions(
        file=Path(options.file.name), mapping_file="m.yaml", encoding="cp1252", label="Betrug",
        mapping=("merchant_id=Laden",), label_delay="2d",
    )  # fmt: skip
    assert ingest_arguments(here, 28) == [
        "ingest", str(options.file), "--limit", "28", "--map", "merchant_id=Laden",
        "--mapping", options.mapping_file, "--label", "Betrug", "--encoding", "cp1252",
        "--label-delay", "2d",
    ]  # fmt: skip
    shipped = ingest_arguments(ImportOptions(file=options.file, mapping_file="paysim"), 1)
    assert shipped[shipped.index("--mapping") + 1] == "paysim"


def test_a_file_without_labels_or_with_too_few_rows_is_told(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", rows_of(10))
    assert not read_data(ImportOptions(file=file), 3, cleaner(), NOW).labelled
    with pytest.raises(InvalidInputError, match="too few would be left"):
        read_data(ImportOptions(file=file), 5, cleaner(), NOW)
    with pytest.raises(InvalidInputError, match="read twice"):
        read_data(ImportOptions(file=Path("-")), 5, cleaner(), NOW)
