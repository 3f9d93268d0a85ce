"""An exported model has the scores of the model; a wrong export is removed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.errors import IntegrityError, NotFoundError, UnavailableError
from inference.artefacts.store import Artefact, ArtefactStore
from inference.serving.adapters.litert import LiteRtScorer
from inference.serving.adapters.tf_serving.rest import RestModelServer
from inference.serving.adapters.tf_serving.scorer import TfServingScorer
from inference.serving.forest.tensorflow_setup import start
from inference.serving.graph import LOGIT, SCORE, as_rows
from inference.serving.probe import TOLERANCE
from inference.training.saved_model import write_saved_model
from inference.training.train import TrainedModel
from operations.models.export import Exported, Format, export
from tests.builders.artefacts import with_other_shares
from tests.builders.training_frames import synthetic
from tests.fixtures.tf_serving import Servables, serving_rest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(tmp_path: Path) -> ArtefactStore:
    return ArtefactStore(tmp_path / "state" / "models")


@pytest.fixture
def artefact(store: ArtefactStore, trained: TrainedModel) -> Artefact:
    return store.open(store.put(trained.files))


def exported(store: ArtefactStore, model: str, folder: Path, form: Format = "tflite") -> Exported:
    return export(store, model, folder, "retrace", form)


def test_a_saved_model_has_named_outputs_for_any_number_of_rows(
    store: ArtefactStore, artefact: Artefact, tmp_path: Path
) -> None:
    made = exported(store, artefact.manifest.model_id, tmp_path / "out", "saved-model")
    assert made.path == tmp_path / "out" / "retrace" / str(int(artefact.model_hash[:12], 16))
    assert (made.path / "saved_model.pb").is_file()
    serve: Any = start().saved_model.load(str(made.path)).signatures["serving_default"]
    rows = as_rows(synthetic(50, seed=4).vectors)
    answer = serve(features=start().constant(rows))
    graph = LiteRtScorer(artefact)
    expected = [graph.value(row) for row in rows.tolist()]
    assert np.abs(answer["score"].numpy() - expected).max() <= TOLERANCE
    logits = answer["logit"].numpy()
    assert np.abs(1 / (1 + np.exp(-logits)) - expected).max() <= TOLERANCE
    assert (SCORE, LOGIT, logits.shape) == (0, 1, (50,))


def test_a_model_server_serves_what_the_command_wrote(
    store: ArtefactStore, artefact: Artefact, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "models", "export", artefact.model_hash[:10],
         "--to", str(tmp_path / "out"), "--json"],
        cwd=ROOT, env={**os.environ, "RETRACE_STATE_DIR": str(store.folder.parent)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["model_hash"], told["name"]) == (artefact.model_hash, "retrace")
    with serving_rest(Servables(tmp_path / "out")) as url:
        server = RestModelServer(url, told["name"])
        scorer = TfServingScorer(artefact, server, timeout=30.0)
        assert scorer.fingerprint.endswith(f"/{told['version']}")
        server.close()


def test_a_graph_is_exported_as_it_serves(
    store: ArtefactStore, artefact: Artefact, tmp_path: Path
) -> None:
    made = exported(store, artefact.model_hash, tmp_path / "out")
    assert (made.path / "model.tflite").read_bytes() == artefact.graph
    assert (made.path / "model.json").is_file()


def test_an_export_that_scores_otherwise_is_never_seen(
    store: ArtefactStore, artefact: Artefact, tmp_path: Path
) -> None:
    wrong = with_other_shares(artefact, 1.002)
    with pytest.raises(IntegrityError, match="probe row 0"):
        write_saved_model(wrong, tmp_path / "out" / "7")
    assert list((tmp_path / "out").iterdir()) == []


def test_exporting_again_replaces_what_was_there(
    store: ArtefactStore, artefact: Artefact, tmp_path: Path
) -> None:
    first = exported(store, artefact.model_hash, tmp_path / "out")
    (first.path / "stray").write_text("left by somebody")
    again = exported(store, artefact.model_hash, tmp_path / "out")
    assert sorted(path.name for path in again.path.iterdir()) == ["model.json", "model.tflite"]
    assert [path.name for path in again.path.parent.iterdir()] == [str(again.version)]


def test_a_model_that_is_not_here_and_a_folder_that_cannot_be_are_named(
    store: ArtefactStore, artefact: Artefact, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError, match="no-such"):
        exported(store, "no-such", tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match=r"cannot write .*file/retrace/\d+: "):
        exported(store, artefact.model_hash, tmp_path / "file")
