"""Labels of a day's transactions: who says what, when, and how often wrongly."""

from dataclasses import dataclass

import numpy as np

from domain.times import DAY
from simulator.columns import Columns, Floats, Ints
from simulator.records import LabelKind
from simulator.settings import SimulationSettings
from simulator.streams import stream

LABEL_KINDS: tuple[LabelKind, ...] = (
    "fraud_report",
    "chargeback",
    "representment",
    "reversal",
    "genuine",
)
_REPORT, _CHARGEBACK, _REPRESENTMENT, _REVERSAL, _GENUINE = range(len(LABEL_KINDS))
LABEL_VALUES = (1, 1, 0, 0, 0)

# No label comes later than this after its transaction.
LABEL_HORIZON_DAYS = 95

_REPORTED_SHARE = 0.85  # of the frauds that anyone speaks of; the others come as chargeback alone
_CHARGEBACK_AFTER_REPORT = 0.5
_FALSE_BY_CHARGEBACK = 0.4


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """Labels as parallel arrays, ordered by the time they become known."""

    row: Ints  # of the day's transactions
    known_at: Ints
    kind: Ints  # index into LABEL_KINDS

    def __len__(self) -> int:
        return len(self.row)


def labels_of(settings: SimulationSettings, day: int, columns: Columns) -> LabelColumns:
    rng = stream(settings.seed, "labels", day)
    truth = np.flatnonzero(columns.kind > 0)
    honest = np.flatnonzero(columns.kind == 0)
    said = [
        *_about_frauds(rng, truth[rng.random(len(truth)) >= settings.unreported_rate]),
        *_by_mistake(rng, _sample(rng, honest, settings.false_report_rate)),
    ]
    confirmed = _sample(rng, honest, settings.confirmed_rate)
    mistaken = np.concatenate([rows for rows, _, _ in said])
    confirmed = confirmed[~np.isin(confirmed, mistaken)]
    said.append((confirmed, rng.uniform(1.0, 20.0, len(confirmed)), _GENUINE))
    row = np.concatenate([rows for rows, _, _ in said])
    days = np.concatenate([delay for _, delay, _ in said])
    kind = np.concatenate([np.full(len(rows), kind) for rows, _, kind in said])
    known_at = columns.timestamp[row] + np.floor(days * DAY).astype(np.int64)
    order = np.lexsort((kind, row, known_at))
    return LabelColumns(row[order], known_at[order], kind[order])


_Said = tuple[Ints, Floats, int]


def _about_frauds(rng: np.random.Generator, rows: Ints) -> list[_Said]:
    """The holder reports within days, the issuer charges back within weeks, or one of the two."""
    reported = rng.random(len(rows)) < _REPORTED_SHARE
    charged = ~reported | (rng.random(len(rows)) < _CHARGEBACK_AFTER_REPORT)
    return [
        (rows[reported], _report_days(rng, int(reported.sum())), _REPORT),
        (rows[charged], rng.uniform(15.0, 60.0, int(charged.sum())), _CHARGEBACK),
    ]


def _by_mistake(rng: np.random.Generator, rows: Ints) -> list[_Said]:
    """A forgotten purchase is reported, or charged back, and put right later."""
    charged = rng.random(len(rows)) < _FALSE_BY_CHARGEBACK
    reports, chargebacks = rows[~charged], rows[charged]
    reported = _report_days(rng, len(reports))
    charged_after = rng.uniform(15.0, 60.0, len(chargebacks))
    return [
        (reports, reported, _REPORT),
        (reports, reported + rng.uniform(2.0, 20.0, len(reports)), _REVERSAL),
        (chargebacks, charged_after, _CHARGEBACK),
        (chargebacks, charged_after + rng.uniform(7.0, 30.0, len(chargebacks)), _REPRESENTMENT),
    ]


def _report_days(rng: np.random.Generator, count: int) -> Floats:
    """Lognormal with a median of two days, cut to 1-5."""
    return np.clip(rng.lognormal(np.log(2.0), 0.5, count), 1.0, 5.0)


def _sample(rng: np.random.Generator, rows: Ints, share: float) -> Ints:
    return np.asarray(rows[rng.random(len(rows)) < share])
