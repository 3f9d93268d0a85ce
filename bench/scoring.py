"""Benchmark of one score: alone, with its reasons, and beside TensorFlow's concrete function.

    python -m bench.scoring

The model is that of a new installation, trained here on less. LiteRT serves; the concrete function
gets its tensor ready-made. All take turns in this process, a hundred calls each, so that what else
the machine does meets them alike, and TensorFlow's waiting threads do not meet each call of LiteRT.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import typer

from bench.machine import write
from commands.ports import ModelScorer
from domain.features import CATALOGUE
from domain.transactions import Transaction
from inference.artefacts.store import Artefact
from inference.frame.frame import Frame
from inference.frame.simulated import SimulatedSettings, simulated_frame
from inference.serving.forest.keras_model import restored
from inference.serving.forest.tensorflow_setup import start
from inference.serving.graph import SCORE, as_row
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainSettings, train
from runtime.composition.models import artefacts_of, open_scorers
from runtime.settings import settings_from_environment

TURNS, CALLS, WARM_UP, ROWS = 40, 120, 20, 500
LIMIT_MS = 1.0


def main() -> None:
    frame = simulated_frame(SimulatedSettings(days=12, per_day=1_000.0), _silent)
    artefact, scorer = _trained(frame)
    concrete = _concrete(artefact)
    places = scorer.inputs.places(CATALOGUE)
    rows = frame.vectors[-ROWS:][:, places].tolist()
    tensors = [start().constant(as_row(row)) for row in rows]
    paid = Transaction(
        transaction_id="t", timestamp=0, amount=1000, currency="USD", base_amount=1000
    )
    runs: dict[str, Callable[[int], Any]] = {
        "score": lambda n: scorer.value(rows[n]),
        "score_with_reasons": lambda n: scorer.score(paid, rows[n]),
        "tensorflow_concrete_function": lambda n: concrete(tensors[n]).numpy(),
    }
    apart = max(
        abs(scorer.value(row) - float(concrete(tensor).numpy()[0, SCORE]))
        for row, tensor in zip(rows, tensors, strict=True)
    )
    found = {name: _figures(times) for name, times in _in_turns(runs).items()}
    write(
        "scoring",
        {
            "features": len(places),
            **found,
            "tensorflow_to_score": _ratio(found["tensorflow_concrete_function"], found["score"]),
            "largest_difference_of_scores": float(f"{apart:.2e}"),
            "limit_with_reasons_ms": LIMIT_MS,
            "within_limit": found["score_with_reasons"]["median_us"] < LIMIT_MS * 1000,
        },
    )


def _trained(frame: Frame) -> tuple[Artefact, ModelScorer]:
    settings = TrainSettings(fitting=FitSettings(), more_seeds=0)
    with tempfile.TemporaryDirectory() as folder:
        installation = settings_from_environment(state_dir=Path(folder))
        store = artefacts_of(installation)
        model_hash = store.put(train(frame, settings, _silent).files)
        with open_scorers(installation) as load:
            return store.open(model_hash), load(model_hash)


def _concrete(artefact: Artefact) -> Any:
    tensorflow, manifest = start(), artefact.manifest
    model = restored(artefact)
    spec = tensorflow.TensorSpec([1, len(manifest.feature_names)], tensorflow.float32)
    return tensorflow.function(model).get_concrete_function(spec)


def _in_turns(runs: dict[str, Callable[[int], Any]]) -> dict[str, list[int]]:
    times: dict[str, list[int]] = {name: [] for name in runs}
    for turn in range(TURNS):
        for name, run in runs.items():
            for n in range(turn * CALLS, (turn + 1) * CALLS):
                began = time.perf_counter_ns()
                run(n % ROWS)
                took = time.perf_counter_ns() - began
                if n % CALLS >= WARM_UP:
                    times[name].append(took)
    return times


def _figures(times: list[int]) -> dict[str, float]:
    """The fastest tenth tells of the code, the slowest hundredth of what else the machine does."""
    shares = {"p10_us": 0.1, "median_us": 0.5, "p99_us": 0.99}
    return {name: round(float(np.quantile(times, at)) / 1000, 1) for name, at in shares.items()}


def _ratio(slower: dict[str, float], faster: dict[str, float]) -> dict[str, float]:
    return {name: round(slower[name] / faster[name], 1) for name in ("p10_us", "median_us")}


def _silent(_done: float, _text: str) -> None:
    pass


if __name__ == "__main__":
    typer.run(main)
