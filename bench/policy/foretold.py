"""Benchmark of forecasts: does a threshold chosen by a backtest give what the backtest foretold?

    python -m bench.policy.foretold FILE --map transaction_id=ID ... --label FRAUD --at DAY ...

For each day T given with --at a model learns what was known at T's beginning. The fortnight from T
on is swept for the review threshold that costs least, once all its labels are known; from that day
on the policy is in force for a fortnight, and its figures are held against what the sweep foretold.
Estimates by inverse propensity weighting are tried on the same payments (bench.policy.exploring).
"""

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import typer

from bench.machine import write
from bench.policy.exploring import explored
from bench.rivals import ours
from bench.weeks import At, Label, Mapping, Twist, frame_at, lay_out, moment_of
from domain.events import Thresholds
from domain.features import CATALOGUE, FeatureSet
from domain.features.payments import Payments
from domain.policy.lists.published import NO_LISTS
from domain.times import DAY
from inference.evaluation.costs import Costs, money
from inference.training.fitting.trees import FitSettings
from operations.backtest.policies.deciding import Decisions, decide
from operations.backtest.policies.forecast import forecast, groupings
from operations.backtest.policies.past import Floats, Past
from operations.backtest.policies.policy import ALWAYS, Policy, Setting
from projections.replay.dataset import Dataset
from projections.replay.transactions import PastTransactions, Texts
from runtime.composition.models import rule_language

FORTNIGHT, DELAY = 14, 7
SPAN = 2 * FORTNIGHT + DELAY
# Small, so that a training takes less than a minute: how well it ranks is not the question.
TWIST = Twist(genuine=40_000)
SMALL = FitSettings(trees=20, genuine=10_000, boosted=40, boosted_rows=20_000)
TRIED = tuple(round(0.02 * n, 2) for n in range(1, 45))
DECLINE = 0.9
KINDS = ("of_estimate_by_card", "by_card", "interval")
"""What a bootstrap by card says of the fortnight itself; of the next one by card; and by card,
merchant and day."""


def main(
    file: str,
    label: Label,
    at: At,
    mapping: Mapping = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder that keeps what was done, to go on from.")
    ] = None,
) -> None:
    with ExitStack() as stack:
        folder = work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        done = folder / "data.json"
        if not done.exists():
            folder.mkdir(parents=True, exist_ok=True)
            laid = lay_out(Path(file), tuple(mapping or ()), label, f"{DELAY}d", at, folder)
            done.write_text(json.dumps(laid))
        columns = dict(each.split("=", 1) for each in mapping or ())
        payments = _Payments(folder, file, columns)
        found = [_foretold(payments, day) for day in at]
    data = json.loads(done.read_text()) if work else laid
    write("foretold", {"data": data, "held": _held(found), "days": found})


class _Payments:
    """Columns of all payments of the file, in the order of their time."""

    def __init__(self, folder: Path, file: str, columns: dict[str, str]) -> None:
        names = ("vectors", "times", "cards", "truth", "ids")
        made = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in names]
        self.folder = folder
        self.vectors, self.times, self.cards, self.truth, self.ids = made
        paths = sorted(Path(file).parent.glob(Path(file).name))
        taken = [columns[name] for name in ("transaction_id", "amount", "merchant_id")]
        table = pa.concat_tables([pq.read_table(path, columns=taken) for path in paths])
        ids = table[taken[0]].cast(pa.string()).to_numpy(zero_copy_only=False).astype(str)
        order = np.argsort(ids)
        rows = order[np.searchsorted(ids, self.ids, sorter=order)]
        amounts = pc.round(pc.multiply(table[taken[1]].cast(pa.float64()), 100.0))
        self.amounts = amounts.to_numpy()[rows].astype(np.int64)
        self.merchants = np.unique(table[taken[2]].to_numpy(), return_inverse=True)[1][rows]

    def scores(self, day: str) -> Floats:
        """Of the SPAN days from that one on, by a model of what was known when it began;
        of all else not a number."""
        kept = self.folder / f"scores-{day}.npy"
        if not kept.exists():
            score = ours(TWIST.of_frame(frame_at(self.folder, day)), 1, SMALL)
            begin = moment_of(day)
            rows = (self.times >= begin) & (self.times < begin + SPAN * DAY)
            made = np.full(len(self.times), np.nan)
            made[rows] = score(np.ascontiguousarray(self.vectors[rows]))
            np.save(kept, made)
        found: Floats = np.load(kept)
        return found

    def past(self, begin: int, scores: Floats) -> Past:
        """The fortnight from `begin` on, with every label, which is known a week after it."""
        rows = (self.times >= begin) & (self.times < begin + FORTNIGHT * DAY) & (self.truth >= 0)
        at = np.flatnonzero(rows)
        nothing = np.zeros(len(at), dtype=bool)
        made = Dataset(
            CATALOGUE, at, self.ids[at], self.times[at], self.times[at], self.truth[at],
            np.zeros((len(at), 0)),
            Payments(self.cards[at], self.amounts[at], nothing, np.zeros((len(at), 0), np.int8)),
        )  # fmt: skip
        texts = {"merchant_id": Texts(self.merchants[at], ())}

        def scored(_hash: str, _features: FeatureSet, _values: Floats) -> tuple[Floats, bool]:
            return scores[at], True

        return Past(made, PastTransactions(texts, {}), scored)


def _foretold(payments: _Payments, day: str) -> dict[str, Any]:
    print(day, file=sys.stderr)  # noqa: T201
    scores = payments.scores(day)
    first = moment_of(day)
    published = first + (FORTNIGHT + DELAY) * DAY
    swept, held = payments.past(first, scores), payments.past(published, scores)
    policy = Policy("tried", ((ALWAYS, Setting(
        "model", Thresholds(review=0.5, step_up=DECLINE, decline=DECLINE), None, NO_LISTS
    )),))  # fmt: skip
    made = decide(swept, policy, rule_language())
    chosen = min(TRIED, key=lambda value: _cost(swept, made, value))
    foretold = forecast(swept, made.at("tried", review=chosen), groupings(swept))
    kept = decide(held, policy, rule_language()).at("tried", review=chosen)
    came = forecast(held, kept, groupings(held))
    return {
        "day": day,
        "threshold": chosen,
        "transactions": [len(swept), len(held)],
        "frauds": [int((each.made.labels == 1).sum()) for each in (swept, held)],
        "figures": {name: _figure(each, came[name]["value"]) for name, each in foretold.items()},
        "explored": explored(swept, made),
    }


def _cost(past: Past, made: Decisions, review: float) -> float:
    one = np.ones(len(past))
    least = Thresholds(review=review, step_up=max(review, DECLINE), decline=max(review, DECLINE))
    labels = past.made.labels.astype(np.float64)
    spent = money(labels, made.scores, past.made.payments.amounts, one, least, Costs())
    return -spent.saved


def _figure(foretold: dict[str, Any], came: float) -> dict[str, Any]:
    value, (_, high) = foretold["value"], foretold["by_card"]
    reach = (high - value) / 2**0.5
    found = {"foretold": value, "came": came, **foretold}
    found["of_estimate_by_card"] = [max(value - reach, 0.0), value + reach]
    del found["value"]
    return found | {f"{kind}_holds": _within(came, found[kind]) for kind in KINDS}


def _within(value: float, interval: list[float]) -> bool:
    return interval[0] <= value <= interval[1]


def _held(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares of figures that came within their interval, of all and of each."""
    told: dict[str, Any] = {}
    for kind in KINDS:
        by_figure = {
            name: [each["figures"][name][f"{kind}_holds"] for each in found]
            for name in found[0]["figures"]
        }
        every = [held for some in by_figure.values() for held in some]
        told[kind] = {
            "held": sum(every),
            "of": len(every),
            **{name: f"{sum(some)} of {len(some)}" for name, some in by_figure.items()},
        }
    return told


if __name__ == "__main__":
    typer.run(main)
