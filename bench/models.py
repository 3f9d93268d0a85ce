"""Benchmark of models: our network and others on one file of labelled transactions.

    python -m bench.models FILE --map transaction_id=ID ... --label FRAUD --at 2018-06-27 ...

For each day T given with --at a model learns what was known at T's beginning, and scores the week
from T on, each payment with the features of its own moment. Every fit runs in a process of its
own, one after the other, on the same vectors, rows and labels. The protocol is bench.protocol's.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.machine import peak_gib, write
from bench.protocol import WAYS, mean_of
from bench.rivals import RIVALS
from bench.weeks import At, Label, LabelDelay, Mapping, frame_at, lay_out, week_from


def main(
    file: Path,
    mapping: Mapping,
    label: Label,
    at: At,
    label_delay: LabelDelay = "7d",
    only: Annotated[list[str] | None, typer.Option(help="These models alone.")] = None,
    result: Annotated[str, typer.Option(help="Name of the result's file.")] = "models",
    scores: Annotated[Path | None, typer.Option(help="Folder for CSV files of scores.")] = None,
    step: Annotated[str, typer.Option(hidden=True)] = "",
    folder: Annotated[Path, typer.Option(hidden=True)] = Path(),
) -> None:
    if step:
        name, _, day = step.partition("@")
        print(json.dumps(_fitted(folder, name, day, scores)))  # noqa: T201
        return
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as made:
        data = lay_out(file, tuple(mapping), label, label_delay, at, Path(made))
        for name in only or RIVALS:
            found[name] = {"weeks": {day: _step(made, name, day, scores) for day in at}}
            weeks = list(found[name]["weeks"].values())
            for way in WAYS:
                found[name][f"mean_{way}"] = mean_of([week[way] for week in weeks])
    write(result, {"data": data, "models": found})


def _step(made: str, name: str, day: str, scores: Path | None) -> dict[str, Any]:
    print(f"{name}, from {day}", file=sys.stderr)  # noqa: T201
    # The file's own options are asked for, and not looked at in a step.
    own = [sys.executable, "-m", "bench.models", "-", "--map", "", "--label", "", "--at", day]
    own += ["--step", f"{name}@{day}", "--folder", made]
    own += ["--scores", str(scores)] if scores else []
    done = subprocess.run(own, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _fitted(folder: Path, name: str, day: str, scores: Path | None) -> dict[str, Any]:
    frame = frame_at(folder, day)
    began = time.perf_counter()
    score = RIVALS[name](frame)
    seconds = time.perf_counter() - began
    peak = peak_gib()
    week = week_from(folder, day)
    began = time.perf_counter()
    given = score(week.vectors)
    scoring = time.perf_counter() - began
    if scores is not None:
        _write_scores(scores / f"{name}-{day}.csv", week.ids, given)
    return {
        **week.metrics(given),
        "test_transactions": len(week),
        "test_frauds": int(week.fraud.sum()),
        "without_known_cards_transactions": int(week.unknown.sum()),
        "labelled_transactions": frame.frauds + frame.genuine,
        "labelled_frauds": frame.frauds,
        "training_seconds": round(seconds, 1),
        "scoring_microseconds_each": round(scoring / max(len(week), 1) * 1e6, 1),
        "peak_gib": peak,
    }


def _write_scores(path: Path, ids: Any, given: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{name},{score!r}" for name, score in zip(ids.tolist(), given.tolist(), strict=True)]
    path.write_text("TRANSACTION_ID,score\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
