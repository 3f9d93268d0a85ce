"""Experiment with shapes of the network and ways of training it.

    python -m bench.shapes FILE --map transaction_id=ID ... --label FRAUD --at 2018-06-06 ...

For each day given with --at every shape learns what was known when the day began, as `retrace
train` fits the model that it keeps but for all its epochs, and scores the week from then on: the
same vectors, rows, labels, chosen features and seeds for all. Choose on other weeks than those of a
comparison with other models (bench.models).
"""

import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.machine import write
from bench.protocol import WAYS, mean_of
from bench.weeks import At, Label, LabelDelay, Mapping, TestWeek, frame_at, lay_out, week_from
from inference.frame.frame import Floats, Frame, after_warm_up
from inference.serving.graph import as_rows
from inference.training.fitting.fit import IN_MEMORY, FitSettings, fit_for, network_for
from inference.training.fitting.loop import logits_of
from inference.training.selection import taken_features

_CHOSEN = FitSettings()
SHAPES = {
    "chosen": _CHOSEN,
    "additive": replace(_CHOSEN, hidden=()),
    "one hidden layer": replace(_CHOSEN, hidden=(64,)),
    "narrow": replace(_CHOSEN, hidden=(32, 16)),
    "wide": replace(_CHOSEN, hidden=(128, 64)),
    "more dropout": replace(_CHOSEN, dropout=0.3),
    "wide, more dropout": replace(_CHOSEN, hidden=(128, 64), dropout=0.3),
    "more blanks": replace(_CHOSEN, blanked_rows=0.3),
}
SEED = 1


def main(
    file: Path,
    mapping: Mapping,
    label: Label,
    at: At,
    label_delay: LabelDelay = "7d",
    only: Annotated[list[str] | None, typer.Option(help="These shapes alone.")] = None,
    seeds: Annotated[int, typer.Option(help="Fits of each shape.")] = 1,
    result: Annotated[str, typer.Option(help="Name of the result's file.")] = "shapes",
) -> None:
    shapes = {name: SHAPES[name] for name in only or SHAPES}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in shapes}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        data = lay_out(file, tuple(mapping), label, label_delay, at, folder)
        for day in at:
            frame, week = _chosen_features(frame_at(folder, day), week_from(folder, day))
            for name, shape in shapes.items():
                for seed in range(SEED, SEED + seeds):
                    found[name].append({"day": day, **_metrics_of(name, shape, seed, frame, week)})
    write(result, {"data": data, "seeds": seeds, "shapes": _summed_up(shapes, found)})


def _chosen_features(frame: Frame, week: TestWeek) -> tuple[Frame, TestWeek]:
    frame = after_warm_up(frame)
    taken = taken_features(frame, SEED, _CHOSEN, _silent, IN_MEMORY)
    return frame.of(taken), replace(week, vectors=week.vectors[:, taken])


def _metrics_of(
    name: str, shape: FitSettings, seed: int, frame: Frame, week: TestWeek
) -> dict[str, Any]:
    model = fit_for(shape.epochs, frame, network_for(frame, shape), seed, shape, _silent)
    scores: Floats = logits_of(model, as_rows(week.vectors))
    metrics = week.metrics(scores)
    print(f"{name}, seed {seed}: {metrics}", file=sys.stderr)  # noqa: T201
    return {"seed": seed, "features": len(frame.names), **metrics}


def _summed_up(
    shapes: dict[str, FitSettings], found: dict[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    """Beside the figures of each fit their mean, and what of the settings is not as chosen."""
    usual = asdict(_CHOSEN)
    return {
        name: {
            "differs_by": {k: v for k, v in asdict(shape).items() if v != usual[k]},
            **{f"mean_{way}": mean_of([each[way] for each in found[name]]) for way in WAYS},
            "fits": found[name],
        }
        for name, shape in shapes.items()
    }


def _silent(_done: float, _text: str) -> None:
    return None


if __name__ == "__main__":
    typer.run(main)
