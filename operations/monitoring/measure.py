"""Owns measuring a model's health from its artefact and the read models; judges and stores nothing.

What is measured how is inference.monitoring's, what is asked of PostgreSQL the read models'.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Engine

from domain.features import CATALOGUE
from domain.times import DAY
from inference.artefacts.manifest import Manifest
from inference.monitoring.calibration import MATURITIES, Week
from inference.monitoring.limits import Limits
from inference.monitoring.report import Live, ModelHealth, health
from projections.readmodels.queries.live_window import LiveWindow, reach
from runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """Decisions of the `window` before `until` (microseconds), and labels `days` after theirs."""

    until: int
    window: int = 7 * DAY
    days: int = 30
    limits: Limits = field(default_factory=Limits)


def asked_of(settings: Settings, until: int) -> Asked:
    """As the settings say."""
    return Asked(until, settings.health_window, settings.health_label_days, settings.limits)


def measured(engine: Engine, manifest: Manifest, model_hash: str, asked: Asked) -> ModelHealth:
    """Of the features as this version declares them.

    Raises NotFoundError for a model without reference, SettingsError for one of other features,
    UnavailableError where PostgreSQL does not answer.
    """
    since = asked.until - asked.window
    values = LiveWindow(engine, model_hash, since, asked.until).values(
        CATALOGUE.hash, len(CATALOGUE)
    )
    weeks = LiveWindow(engine, model_hash, reach(asked.until), asked.until).weeks(MATURITIES)
    live = Live(
        since,
        asked.until,
        values.decisions,
        values.decisions - values.whole,
        values.span,
        values.vectors[:, manifest.inputs.places(CATALOGUE)],
        values.scores,
        [
            Week(w.begin, w.decided, w.expected, w.declined, w.declined_frauds, w.frauds)
            for w in weeks
        ],
    )
    return health(manifest, model_hash, live, asked.limits, asked.days)
