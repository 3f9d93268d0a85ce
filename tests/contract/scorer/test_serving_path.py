"""Serving imports no TensorFlow: it costs seconds and hundreds of megabytes."""

import subprocess
import sys
from pathlib import Path

from inference.artefacts.store import ArtefactStore
from inference.training.train import TrainedModel

SCRIPT = """
import sys
from pathlib import Path
from inference.serving.adapters.litert import LiteRtScorer
from inference.artefacts.store import ArtefactStore
scorer = LiteRtScorer(ArtefactStore(Path(sys.argv[1])).open(sys.argv[2]))
score = scorer.score(None, [1.0] * 6)
heavy = {"tensorflow", "keras", "pandas"} & set(sys.modules)
assert not heavy, heavy
print(score.value.hex(), scorer.fingerprint)
"""


def test_serving_imports_no_tensorflow_and_gives_the_same_bits_in_another_process(
    tmp_path: Path, trained: TrainedModel
) -> None:
    store = ArtefactStore(tmp_path)
    model_hash = store.put(trained.files)
    answers = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path), model_hash],
            check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3],
        ).stdout
        for _ in range(2)
    }  # fmt: skip
    assert len(answers) == 1
