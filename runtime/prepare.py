"""Owns the order in which a stack's stores are made ready; each step belongs to its package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runtime.settings import Settings


@dataclass(frozen=True)
class Step:
    """`run` is repeatable: a second run finds everything done."""

    name: str
    run: Callable[[Settings], object]


def _migrations(settings: Settings) -> object:
    from migrations.upgrade import upgrade

    return upgrade(settings.database_url)


def _topics(settings: Settings) -> object:
    from eventlog.adapters.kafka_admin import ensure_topics

    return ensure_topics(settings.kafka_bootstrap_servers)


def _features(settings: Settings) -> object:
    from projections.adapters.feast_repo import apply

    return apply(settings)


def _model(settings: Settings) -> object:
    from inference.default_model import ensure

    return ensure(settings)


STEPS = (
    Step("migrations", _migrations),
    Step("topics", _topics),
    Step("feast apply", _features),
    Step("default model", _model),
)


def prepare(settings: Settings, progress: Callable[[str], None]) -> None:
    """Run every step in order; `progress` gets the name of each before it runs."""
    for step in STEPS:
        progress(step.name)
        step.run(settings)
