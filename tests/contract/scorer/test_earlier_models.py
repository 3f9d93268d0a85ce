"""Models that earlier versions stored are opened, and score as they did."""

from pathlib import Path

import pytest

from inference.artefacts.store import FILES, ArtefactStore
from inference.serving.adapters.litert import LiteRtScorer
from inference.serving.adapters.tensorflow import TensorFlowScorer
from inference.serving.explain import explainer_of
from inference.serving.graph import as_row
from inference.serving.probe import TOLERANCE

V4 = Path(__file__).parents[2] / "histories" / "v4-model"
ROW = [90_000.0, 9.0, 1.0, None, 0.5, -3e8]


def test_a_model_without_boosted_trees_scores_and_gives_reasons_as_it_did(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    artefact = store.open(store.put({name: (V4 / name).read_bytes() for name in FILES}))
    assert artefact.model_hash.startswith("ba1f9cc753625755a6907a35dcb36147")
    assert artefact.manifest.format == 4
    for scorer in (LiteRtScorer(artefact), TensorFlowScorer(artefact)):
        assert scorer.value(ROW) == pytest.approx(0.7732707262039185, abs=TOLERANCE)
    told = explainer_of(artefact).contributions(as_row(ROW))
    assert told == pytest.approx([2.5382956, 3.72933943, 1.2015729, 0, -0.19094707, 0], abs=1e-6)
