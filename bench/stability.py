"""Benchmark of models over many weeks and seeds: how well they rank, and how much that varies.

    python -m bench.stability FILE --map transaction_id=ID ... --label FRAUD --at 2018-06-27 ...

For each day T given with --at and each seed a model learns what was known at T's beginning, and
scores the week from T on, each payment with the features of its own moment. Every fit runs in a
process of its own, one after the other, on the same vectors, rows and labels. The protocol is
bench.protocol's; files of other populations are made by bench.populations.
"""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from bench.machine import peak_gib, write
from bench.protocol import WAYS
from bench.rivals import MODELS, RIVALS
from bench.weeks import At, Label, LabelDelay, Mapping, Twist, frame_at, lay_out, week_from

FIRST_SEED = 1


def main(
    file: Path,
    label: Label,
    at: At,
    mapping: Mapping = None,
    label_delay: LabelDelay = "7d",
    only: Annotated[list[str] | None, typer.Option(help="These models alone.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Fits of each model and day.")] = 3,
    genuine: Annotated[
        int | None, typer.Option(min=1, help="Learn from so many genuine payments at most.")
    ] = None,
    frauds: Annotated[
        int | None, typer.Option(min=1, help="Learn from so many frauds at most.")
    ] = None,
    noise: Annotated[int, typer.Option(min=0, help="Columns of noise beside the features.")] = 0,
    result: Annotated[str, typer.Option(help="Name of the result's file.")] = "stability",
    scores: Annotated[Path | None, typer.Option(help="Folder for CSV files of scores.")] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder that keeps what was done, to go on from.")
    ] = None,
    step: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    twist = Twist(genuine, frauds, noise)
    if step:
        name, day, of = step.split("@")
        print(json.dumps(_fitted(file, name, day, int(of), twist, scores)))  # noqa: T201
        return
    with ExitStack() as stack:
        folder = work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        data = _laid_out(folder, file, tuple(mapping or ()), label, label_delay, at)
        models = only or list(RIVALS)
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in models}
        for day in at:
            for seed in range(FIRST_SEED, FIRST_SEED + seeds):
                for name in models:
                    found[name].append(_step(folder, f"{name}@{day}@{seed}", twist, scores))
    summed_up = {name: {**summary(fits), "fits": fits} for name, fits in found.items()}
    asked = {"seeds": seeds, "genuine": genuine, "frauds": frauds, "noise": noise}
    write(result, {"data": data, **asked, "models": summed_up})


def _laid_out(folder: Path, file: Path, mapping: tuple[str, ...], *more: Any) -> dict[str, Any]:
    label, label_delay, at = more
    done = folder / "data.json"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        data = lay_out(file, mapping, label, label_delay, at, folder)
        done.write_text(json.dumps(data))
    laid_out: dict[str, Any] = json.loads(done.read_text())
    return laid_out


def _step(folder: Path, step: str, twist: Twist, scores: Path | None) -> dict[str, Any]:
    done = folder / f"fit-{step}-{twist}.json"
    if not done.exists():
        print(step, file=sys.stderr)  # noqa: T201
        # The file's own options are asked for, and not looked at in a step.
        own = [sys.executable, "-m", "bench.stability", str(folder), "--label", "", "--at", ""]
        own += ["--step", step, *twist.options()]
        own += ["--scores", str(scores)] if scores else []
        ended = subprocess.run(own, check=True, stdout=subprocess.PIPE, text=True)
        done.write_text(ended.stdout.splitlines()[-1])
    figures: dict[str, Any] = json.loads(done.read_text())
    return figures


def _fitted(
    folder: Path, name: str, day: str, seed: int, twist: Twist, scores: Path | None
) -> dict[str, Any]:
    frame = twist.of_frame(frame_at(folder, day))
    began, processor = time.perf_counter(), time.process_time()
    score = MODELS[name](frame, seed)
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    peak = peak_gib()
    week = twist.of_week(week_from(folder, day))
    began = time.perf_counter()
    given = score(week.vectors)
    scoring = time.perf_counter() - began
    if scores is not None:
        _write_scores(scores / f"{name}-{day}-{seed}.csv", week.ids, given)
    return {
        "day": day,
        "seed": seed,
        **week.metrics(given),
        "test_transactions": len(week),
        "test_frauds": int(week.fraud.sum()),
        "without_known_cards_transactions": int(week.unknown.sum()),
        "labelled_transactions": frame.frauds + frame.genuine,
        "labelled_frauds": frame.frauds,
        "training_seconds": round(seconds, 1),
        "training_processor_seconds": round(processor, 1),
        "scoring_microseconds_each": round(scoring / max(len(week), 1) * 1e6, 1),
        "peak_gib": peak,
    }


def summary(fits: list[dict[str, Any]]) -> dict[str, Any]:
    """Per way of testing and measure the mean, the worst fit, and two standard deviations.

    That over seeds is the root mean square over the days, that over days of the means of each.
    """
    days = sorted({fit["day"] for fit in fits})
    found: dict[str, Any] = {}
    for way in WAYS:
        for measure in fits[0][way]:
            by_day = [
                [fit[way][measure] for fit in fits if fit["day"] == day and fit[way][measure]]
                for day in days
            ]
            known = [values for values in by_day if values]
            if not known:
                continue
            means = [float(np.mean(values)) for values in known]
            within = [float(np.var(values, ddof=1)) for values in known if len(values) > 1]
            found.setdefault(way, {})[measure] = {
                "mean": round(float(np.mean(means)), 5),
                "worst": min(min(values) for values in known),
                "sd_over_days": round(float(np.std(means, ddof=1)), 5) if len(means) > 1 else None,
                "sd_over_seeds": round(float(np.mean(within)) ** 0.5, 5) if within else None,
            }
    return found


def _write_scores(path: Path, ids: Any, given: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{name},{score!r}" for name, score in zip(ids.tolist(), given.tolist(), strict=True)]
    path.write_text("TRANSACTION_ID,score\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
