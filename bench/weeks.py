"""Test weeks: a file of labelled payments as vectors, and what was known of it on a day."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from bench.machine import peak_gib
from bench.protocol import TEST_DAYS, Figures, both_ways, day_of, of_unknown_cards
from domain.times import DAY, from_rfc3339
from inference.frame.frame import Floats, Frame, Ints

# The options of a command that reads such a file.
Mapping = Annotated[list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN")]
Label = Annotated[str, typer.Option(metavar="COLUMN")]
At = Annotated[list[str], typer.Option("--at", metavar="DAY", help="First test day, UTC.")]
LabelDelay = Annotated[str, typer.Option(metavar="SPAN")]

UNKNOWN = -2
"""The label of a payment that was not known itself."""
_FILES = ("vectors", "times", "cards", "truth")


def lay_out(
    file: Path, mapping: tuple[str, ...], label: str, label_delay: str, at: list[str], folder: Path
) -> dict[str, Any]:
    """Vectors of all payments, and their labels as known at each day's beginning, as files."""
    from domain.features import CATALOGUE
    from domain.features.payments import UNLABELLED
    from operations.log.imports import ImportOptions
    from operations.training.file_frame import events_of_file
    from projections.replay.dataset import dataset
    from projections.replay.ideal import known_order
    from projections.replay.payments import labels_of, uses_of
    from runtime.composition.intake import cleaner_for_file
    from runtime.settings import settings_from_environment

    began, processor = time.perf_counter(), time.process_time()
    read = ImportOptions(file=file, mapping=mapping, label=label, label_delay=label_delay,
                         rejects=folder / "rejects.ndjson")  # fmt: skip
    cleaning = cleaner_for_file(settings_from_environment(state_dir=folder), None)
    events = events_of_file(read, cleaning, lambda _text: None, lambda _done, _of: None).events
    made = dataset(events, CATALOGUE, as_known_at=2**62)
    order = np.argsort(made.times, kind="stable")
    np.save(folder / "ids.npy", made.transaction_ids[order].astype(str))
    kept = (made.values, made.times, made.payments.holders, made.labels)
    for name, values in zip(_FILES, kept, strict=True):
        kind = np.float32 if values.ndim > 1 else np.int64
        np.save(folder / f"{name}.npy", values[order].astype(kind))
    uses, in_order = uses_of(events.rows[made.at[order]]), known_order(events)
    for day in at:
        then = in_order[events.known[in_order] <= moment_of(day)]
        labels = labels_of(events.rows[then], uses)
        labels[made.known[order] > moment_of(day)] = UNKNOWN
        np.save(folder / f"labels-{day}.npy", labels)
    return {
        "file": file.name,
        "transactions": len(made),
        "frauds": int((made.labels == 1).sum()),
        "unlabelled": int((made.labels == UNLABELLED).sum()),
        "features": len(CATALOGUE),
        "feature_set": CATALOGUE.hash,
        "seconds_to_lay_out": round(time.perf_counter() - began, 1),
        "processor_seconds_to_lay_out": round(time.process_time() - processor, 1),
        "peak_gib_to_lay_out": peak_gib(),
        "test_days": TEST_DAYS,
    }


@dataclass(frozen=True, slots=True)
class TestWeek:
    """The week from a day on: `vectors` [n, features] float32, and per payment its id, what it
    truly was, card, time, and whether its card was not yet known as compromised."""

    vectors: npt.NDArray[np.float32]
    ids: npt.NDArray[np.str_]
    fraud: npt.NDArray[np.bool_]
    cards: Ints
    times: Ints
    unknown: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    def metrics(self, scores: Floats) -> dict[str, Figures]:
        return both_ways(
            self.fraud.astype(np.float64), scores, self.cards, self.times, self.unknown
        )


@dataclass(frozen=True, slots=True)
class Twist:
    """What is made harder, or cheaper: `genuine` and `frauds` are how many labelled rows are kept
    at most, evenly in time, the genuine ones weighing as much as all; `noise` columns are added to
    the features."""

    genuine: int | None = None
    frauds: int | None = None
    noise: int = 0

    def __str__(self) -> str:
        return f"{self.genuine}-{self.frauds}-{self.noise}"

    def options(self) -> list[str]:
        given = {"--genuine": self.genuine, "--frauds": self.frauds, "--noise": self.noise}
        return [part for name, value in given.items() if value for part in (name, str(value))]

    def of_frame(self, frame: Frame) -> Frame:
        kept = np.ones(len(frame), dtype=bool)
        stands_for = frame.stands_for.copy()
        for value, most in ((1, self.frauds), (0, self.genuine)):
            rows = np.flatnonzero(frame.labels == value)
            if most is not None and len(rows) > most:
                taken = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
                kept[rows] = False
                kept[taken] = True
                stands_for[taken] *= 1 if value else len(rows) / most
        frame = replace(frame, stands_for=stands_for).take(kept)
        names = tuple(f"noise_{number}" for number in range(self.noise))
        return replace(
            frame,
            vectors=self._beside(frame.vectors, frame.times),
            names=frame.names + names,
            definitions=(*frame.definitions, *("" for _ in names)),
        )

    def of_week(self, week: TestWeek) -> TestWeek:
        return replace(week, vectors=self._beside(week.vectors, week.times))

    def _beside(self, vectors: Any, times: Ints) -> Any:
        """Noise of as many kinds as features have: numbers, tails, counts, and some unknown."""
        if not self.noise:
            return vectors
        random = np.random.default_rng([len(times), int(times[0])])
        kinds = (
            lambda n: random.normal(size=n),
            lambda n: random.lognormal(3, 2, n),
            lambda n: random.poisson(0.3, n),
            lambda n: np.where(random.random(n) < 0.5, np.nan, random.random(n)),
        )
        made = [kinds[number % len(kinds)](len(times)) for number in range(self.noise)]
        return np.concatenate([vectors, np.stack(made, axis=1).astype(np.float32)], axis=1)


def frame_at(folder: Path, day: str) -> Frame:
    """All payments and labels that were known when the day began."""
    from domain.features import CATALOGUE

    vectors, times, _, _ = _arrays(folder)
    known = np.load(folder / f"labels-{day}.npy")
    rows = known > UNKNOWN
    labels = known[rows]
    return Frame(
        vectors[rows],
        np.where(labels < 0, np.nan, labels.astype(np.float64)),
        times[rows],
        np.ones(int(rows.sum())),
        CATALOGUE.names,
        CATALOGUE.hash,
        moment_of(day),
        tuple(feature.definition for feature in CATALOGUE.features),
    )


def week_from(folder: Path, day: str) -> TestWeek:
    vectors, times, cards, truth = _arrays(folder)
    first = int(day_of(np.array([moment_of(day)]))[0])
    days, fraud = day_of(times), truth == 1
    test = (days >= first) & (days < first + TEST_DAYS) & (truth >= 0)
    unknown = of_unknown_cards(days, cards, fraud, first)
    return TestWeek(
        np.ascontiguousarray(vectors[test]),
        np.load(folder / "ids.npy")[test],
        fraud[test],
        cards[test],
        times[test],
        unknown[test],
    )


def moment_of(day: str) -> int:
    return from_rfc3339(f"{day}T00:00:00Z") // DAY * DAY


def _arrays(folder: Path) -> list[Any]:
    return [np.load(folder / f"{each}.npy", mmap_mode="r") for each in _FILES]
