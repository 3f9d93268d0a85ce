"""Files that give the label away, or name nobody: what a training of them says."""

from pathlib import Path

import numpy as np
from msgspec.structs import replace

from inference.evaluation.gate.plausibility import doubts_about
from inference.evaluation.gate.report import GateLimits
from inference.evaluation.measures import Validated
from inference.frame.frame import Frame, measured_part, without_constants
from operations.log.imports import ImportOptions
from operations.training.file_frame import frame_of_file
from runtime.composition.intake import cleaner_for_file
from runtime.settings import settings_from_environment
from tests.builders.artefacts import manifest
from tests.builders.import_files import Rows, rows_of, write_csv


def nothing(*_: object) -> None:
    pass


def payments() -> Rows:
    random = np.random.default_rng(1)
    frauds = random.random(600) < 0.2
    return [{**row, "fraud": int(fraud)} for row, fraud in zip(rows_of(600), frauds, strict=True)]


def later(folder: Path, rows: Rows, *mapping: str) -> Frame:
    """What a model of the file is measured on."""
    path = write_csv(folder / "a.csv", rows)
    cleaning = cleaner_for_file(settings_from_environment(state_dir=folder / "state"), None)
    options = ImportOptions(file=path, mapping=mapping, label="fraud")
    frame = without_constants(frame_of_file(options, cleaning, None, nothing, nothing)[0])
    return measured_part(frame, frame.names)


def test_o33_a_merchant_that_is_the_label_is_told(tmp_path: Path) -> None:
    rows = [{**row, "COL": f"m{row['fraud']}"} for row in payments()]
    frame = later(tmp_path, rows, "merchant_id=COL")
    any_scores = np.random.default_rng(2).random(len(frame))
    (doubt,) = doubts_about(Validated(frame, any_scores), GateLimits())
    assert doubt.name == "feature too good"
    assert "merchant" in doubt.features[0]
    honest = later(tmp_path, payments())
    assert doubts_about(Validated(honest, any_scores), GateLimits()) == ()


def test_o16_a_file_that_names_nobody_gives_a_model_that_knows_no_history(tmp_path: Path) -> None:
    bare = ("transaction_id", "timestamp", "amount", "fraud")
    rows = [{name: row[name] for name in bare} for row in payments()]
    for number, row in enumerate(rows):
        row["amount"] = number % 50 + 1
    taken = later(tmp_path, rows)
    assert replace(manifest(), feature_names=list(taken.names)).knows_no_history
    named = [{**row, "customer_id": f"c{n % 7}"} for n, row in enumerate(rows)]
    taken = later(tmp_path, named)
    assert not replace(manifest(), feature_names=list(taken.names)).knows_no_history
