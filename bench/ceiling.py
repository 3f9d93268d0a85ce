"""Ceiling of any model on a file whose labels come late: what could be foreseen, put first.

    python -m bench.ceiling FILE --time TX_DATETIME --amount TX_AMOUNT --card CUSTOMER_ID
        --merchant TERMINAL_ID --label TX_FRAUD --at 2018-06-27 --at 2018-07-04 ...

A fraud counts as foreseeable where its amount is large, by itself or beside the mean of the card's
genuine payments (those to come included), or where a fraud of the same merchant or card is known by
then and not long ago. All these get the score 1, everything else 0. No model can do better in what
measures the first places (average precision, card precision): there is no false alarm before them.
The protocol is bench.protocol's.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import typer

from bench.machine import write
from bench.protocol import (
    DELAY_DAYS,
    TEST_DAYS,
    Figures,
    day_of,
    mean_of,
    metrics_of,
    of_unknown_cards,
)
from bench.weeks import At, moment_of
from domain.times import DAY
from inference.frame.frame import Bools, Floats, Ints

Column = Annotated[str, typer.Option(metavar="COLUMN")]


def main(
    files: list[Path],
    at: At,
    time: Column,
    amount: Column,
    card: Column,
    merchant: Column,
    label: Column,
    large: Annotated[float, typer.Option(help="An amount that is foreseen by itself.")] = 220.0,
    times_mean: Annotated[float, typer.Option(help="... beside the mean of the card.")] = 2.0,
    merchant_days: Annotated[int, typer.Option(help="How long a merchant stays bad.")] = 28,
    card_days: Annotated[int, typer.Option(help="How long a card stays bad.")] = 14,
    result: str = "ceiling",
) -> None:
    table = pa.concat_tables([pq.read_table(file) for file in files])
    times = table[time].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    amounts = table[amount].cast(pa.float64()).to_numpy()
    cards, merchants = (table[name].to_numpy().astype(np.int64) for name in (card, merchant))
    fraud = table[label].to_numpy() == 1
    foreseen = foreseeable(
        *(cards, merchants, times, amounts, fraud, large, times_mean, merchant_days, card_days)
    )
    found = [_week(day, times, cards, fraud, foreseen) for day in at]
    for day, (ceiling, perfect) in zip(at, found, strict=True):
        print(day, "foreseeable", ceiling, "every fraud", perfect)  # noqa: T201
    write(
        result,
        {
            "files": [file.name for file in files],
            "days": at,
            "foreseeable": mean_of([ceiling for ceiling, _ in found]),
            "every_fraud": mean_of([perfect for _, perfect in found]),
            "weeks": [{"day": d, "foreseeable": c} for d, (c, _) in zip(at, found, strict=True)],
        },
    )


def foreseeable(
    cards: Ints,
    merchants: Ints,
    times: Ints,
    amounts: Floats,
    fraud: Bools,
    large: float,
    times_mean: float,
    merchant_days: int,
    card_days: int,
) -> Bools:
    """[n]; `times` in microseconds, cards and merchants as small numbers."""
    given: Bools = fraud & (
        (amounts > large)
        | (amounts > times_mean * _means(cards, amounts, ~fraud)[cards])
        | _known(merchants, times, fraud, merchant_days)
        | _known(cards, times, fraud, card_days)
    )
    return given


def _means(cards: Ints, amounts: Floats, genuine: Bools) -> Floats:
    count = np.bincount(cards[genuine], minlength=int(cards.max()) + 1)
    total = np.bincount(cards[genuine], amounts[genuine], minlength=len(count))
    means: Floats = np.divide(total, count, out=np.full(len(count), np.inf), where=count > 0)
    return means


def _known(keys: Ints, times: Ints, fraud: Bools, days: int) -> Bools:
    """Frauds before which another one of the same key is known, and at most so many days old."""
    rows = np.flatnonzero(fraud)
    rows = rows[np.lexsort((times[rows], keys[rows]))]
    found = np.zeros(len(keys), dtype=bool)
    ends = np.flatnonzero(np.diff(keys[rows])) + 1
    for group in np.split(rows, ends):
        then = times[group]
        first = np.searchsorted(then, then - days * DAY)
        last = np.searchsorted(then, then - DELAY_DAYS * DAY, side="right")
        found[group] = last > first
    return found


def _week(
    day: str, times: Ints, cards: Ints, fraud: Bools, foreseen: Bools
) -> tuple[Figures, Figures]:
    first = moment_of(day)
    rows = np.flatnonzero((times >= first) & (times < first + TEST_DAYS * DAY))
    unknown = of_unknown_cards(day_of(times), cards, fraud, first // DAY)
    rows = rows[unknown[rows]]
    truth = fraud[rows].astype(np.float64)
    cards, times = cards[rows], times[rows]
    ceiling = metrics_of(truth, foreseen[rows].astype(np.float64), cards, times)
    return ceiling, metrics_of(truth, truth, cards, times)


if __name__ == "__main__":
    typer.run(main)
