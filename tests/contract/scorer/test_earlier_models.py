"""Models that earlier versions stored are opened, and score as they did."""

from pathlib import Path

import pytest

from inference.artefacts.store import FILES, ArtefactStore
from inference.serving.adapters.litert import LiteRtScorer
from inference.serving.adapters.tensorflow import TensorFlowScorer
from inference.serving.explain import explainer_of
from inference.serving.graph import as_row
from inference.serving.probe import TOLERANCE

HISTORIES = Path(__file__).parents[2] / "histories"
ROW = [90_000.0, 9.0, 1.0, None, 0.5, -3e8]


# The contributions are as the version that stored the model told them.
STORED = {
    "v4-model": (
        "ba1f9cc753625755a6907a35dcb36147",
        0.7732707262039185,
        [2.5382956, 3.72933943, 1.2015729, 0, -0.19094707, 0],
    ),
    "v5-model": (
        "9b0b1ec920154f0e008dbf70c83e176f",
        0.9818613529205322,
        [5.26240476, 6.65811548, 3.09967338, 0.25795136, 0.1918413, -0.12686028],
    ),
}


@pytest.mark.parametrize("name", STORED)
def test_a_model_of_an_earlier_format_scores_and_gives_reasons_as_it_did(
    name: str, tmp_path: Path
) -> None:
    model_hash, score, contributions = STORED[name]
    store = ArtefactStore(tmp_path)
    files = {each: (HISTORIES / name / each).read_bytes() for each in FILES}
    artefact = store.open(store.put(files))
    assert artefact.model_hash.startswith(model_hash)
    assert f"v{artefact.manifest.format}-model" == name
    for scorer in (LiteRtScorer(artefact), TensorFlowScorer(artefact)):
        assert scorer.value(ROW) == pytest.approx(score, abs=TOLERANCE)
    told = explainer_of(artefact).contributions(as_row(ROW))
    assert told == pytest.approx(contributions, abs=1e-6)
