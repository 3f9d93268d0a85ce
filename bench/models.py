"""Owns the comparison of our network with other models on one file of labelled transactions.

    python -m bench.models FILE --map transaction_id=ID ... --label FRAUD --at 2018-06-27 ...

For each day T given with --at a model learns what was known at T's beginning, and scores the week
from T on, each payment with the features of its own moment. Every fit runs in a process of its
own, one after the other, on the same vectors, rows and labels. The protocol is bench.protocol's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from bench.machine import peak_gib, write
from bench.protocol import TEST_DAYS, both_ways, day_of, mean_of, of_unknown_cards
from bench.rivals import RIVALS
from domain.times import DAY, from_rfc3339
from inference.training.frame import Frame

UNKNOWN = -2
"""The label of a payment that was not known itself."""
_FILES = ("vectors", "times", "cards", "truth")


def main(
    file: Path,
    mapping: Annotated[list[str], typer.Option("--map", metavar="FIELD=COLUMN")],
    label: Annotated[str, typer.Option(metavar="COLUMN")],
    at: Annotated[list[str], typer.Option("--at", metavar="DAY", help="First test day, UTC.")],
    label_delay: Annotated[str, typer.Option(metavar="SPAN")] = "7d",
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
        data = _laid_out(file, tuple(mapping), label, label_delay, at, Path(made))
        for name in only or RIVALS:
            found[name] = {"weeks": {day: _step(made, name, day, scores) for day in at}}
            weeks = list(found[name]["weeks"].values())
            for way in ("without_known_cards", "all_cards"):
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


def _laid_out(
    file: Path,
    mapping: tuple[str, ...],
    label: str,
    label_delay: str,
    at: list[str],
    folder: Path,
) -> dict[str, Any]:
    """Vectors of all payments, and their labels as known at each moment, as files."""
    from domain.features import CATALOGUE
    from domain.features.rows import TRANSACTION
    from projections.replay.dataset import UNLABELLED, dataset, labels_of
    from projections.replay.ideal import known_order
    from runtime.flat_file import FlatFile, laid_out
    from runtime.settings import settings_from_environment

    began = time.perf_counter()
    read = FlatFile(path=file, mapping=mapping, label=label, label_delay=label_delay,
                    rejects=folder / "rejects.ndjson")  # fmt: skip
    settings = settings_from_environment(state_dir=folder)
    events = laid_out(read, settings, lambda _text: None, lambda _done, _of: None).events
    made = dataset(events, CATALOGUE, as_known_at=2**62)
    order = np.argsort(made.times, kind="stable")
    ids = made.transaction_ids[order]
    np.save(folder / "ids.npy", ids.astype(str))
    kept = (made.values, made.times, made.payments.holders, made.labels)
    for name, values in zip(_FILES, kept, strict=True):
        np.save(
            folder / f"{name}.npy",
            values[order].astype(np.float32 if values.ndim > 1 else np.int64),
        )
    digests, in_order = events.rows[made.at[order], TRANSACTION], known_order(events)
    for day in at:
        then = in_order[events.known[in_order] <= _moment(day)]
        labels = labels_of(events.rows[then], digests)
        labels[made.known[order] > _moment(day)] = UNKNOWN
        np.save(folder / f"labels-{day}.npy", labels)
    return {
        "file": file.name,
        "transactions": len(made),
        "frauds": int((made.labels == 1).sum()),
        "unlabelled": int((made.labels == UNLABELLED).sum()),
        "features": len(CATALOGUE),
        "feature_set": CATALOGUE.hash,
        "seconds_to_lay_out": round(time.perf_counter() - began, 1),
        "test_days": TEST_DAYS,
    }


def _fitted(folder: Path, name: str, day: str, scores: Path | None) -> dict[str, Any]:
    from domain.features import CATALOGUE

    vectors, times, cards, truth = (
        np.load(folder / f"{each}.npy", mmap_mode="r") for each in _FILES
    )
    known = np.load(folder / f"labels-{day}.npy")
    rows = known > UNKNOWN
    labels = known[rows]
    frame = Frame(
        vectors[rows],
        np.where(labels < 0, np.nan, labels.astype(np.float64)),
        times[rows],
        np.ones(int(rows.sum())),
        CATALOGUE.names,
        CATALOGUE.hash,
        _moment(day),
        tuple(feature.definition for feature in CATALOGUE.features),
    )
    began = time.perf_counter()
    score = RIVALS[name](frame)
    seconds = time.perf_counter() - began
    peak = peak_gib()
    first = int(day_of(np.array([_moment(day)]))[0])
    days, fraud = day_of(times), truth == 1
    test = (days >= first) & (days < first + TEST_DAYS) & (truth >= 0)
    began = time.perf_counter()
    given = score(np.ascontiguousarray(vectors[test]))
    scoring = time.perf_counter() - began
    unknown = of_unknown_cards(days, cards, fraud, first)[test]
    if scores is not None:
        _write_scores(scores / f"{name}-{day}.csv", np.load(folder / "ids.npy")[test], given)
    return {
        **both_ways(fraud[test].astype(float), given, cards[test], times[test], unknown),
        "test_transactions": int(test.sum()),
        "test_frauds": int(fraud[test].sum()),
        "without_known_cards_transactions": int(unknown.sum()),
        "labelled_transactions": int((labels >= 0).sum()),
        "labelled_frauds": int((labels == 1).sum()),
        "training_seconds": round(seconds, 1),
        "scoring_microseconds_each": round(scoring / max(int(test.sum()), 1) * 1e6, 1),
        "peak_gib": peak,
    }


def _write_scores(path: Path, ids: Any, given: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{name},{score!r}" for name, score in zip(ids.tolist(), given.tolist(), strict=True)]
    path.write_text("TRANSACTION_ID,score\n" + "\n".join(lines) + "\n")


def _moment(day: str) -> int:
    return from_rfc3339(f"{day}T00:00:00Z") // DAY * DAY


if __name__ == "__main__":
    typer.run(main)
