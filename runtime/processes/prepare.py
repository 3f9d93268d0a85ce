"""Preparation of a stack: migrations, topics, Feast, the first generation, the default model."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from runtime.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """`run` is repeatable: a second run finds everything done."""

    name: str
    run: Callable[[Settings, Say], object]


def _migrations(settings: Settings, _: Say) -> None:
    from migrations.upgrade import upgrade

    upgrade(settings.database_url)


def _topics(settings: Settings, _: Say) -> None:
    from eventlog.adapters.kafka_admin import ensure_topics
    from eventlog.binding.bound import check_bound
    from runtime.composition.log import open_log
    from runtime.processes.binding import memories_in, open_bound_database

    # Before missing ones are made: they may be missing since Kafka lost what was in them.
    with open_log(settings) as log, open_bound_database(settings) as database:
        ids = asyncio.run(log.ids())
        check_bound(ids, memories_in(settings.state_dir / "ledger"))
        check_bound(ids, database)
    ensure_topics(
        settings.kafka(),
        replication=settings.kafka_replication,
        min_in_sync=settings.kafka_min_in_sync,
    )


def _keys(settings: Settings, _: Say) -> None:
    from commands.policy.keys import name_keys
    from host.clock import now_us
    from runtime.composition.intake import keys_of
    from runtime.composition.log import open_log

    with open_log(settings) as log:
        name_keys(log, keys_of(settings), now_us())


def _kernel(_: Settings, __: Say) -> None:
    from domain.features import CATALOGUE
    from domain.features.engine import warm_up
    from domain.features.state import heads_of

    warm_up(CATALOGUE)
    heads_of([])


def _features(settings: Settings, _: Say) -> None:
    from projections.online.adapters.feast_repo import apply

    apply(settings)


def _generation(settings: Settings, say: Say) -> None:
    from operations.features.bootstrap import ensure_generation
    from runtime.composition.features import generations_of
    from runtime.composition.log import open_log

    with open_log(settings) as log:
        ensure_generation(generations_of(settings), log, say)


def _model(settings: Settings, say: Say) -> None:
    from host.clock import now_us
    from operations.models.default_model import ensure_with_card
    from runtime.composition.log import open_log
    from runtime.composition.models import artefacts_of

    with open_log(settings) as log:
        ensure_with_card(log, artefacts_of(settings), now_us, say, settings.measures)


STEPS = (
    Step("migrations", _migrations),
    Step("topics", _topics),
    Step("keys", _keys),
    Step("feature kernel", _kernel),
    Step("feast apply", _features),
    Step("online generation", _generation),
    Step("default model", _model),
)


def prepare(settings: Settings, progress: Say) -> None:
    """Run every step in order; `progress` gets the name of each before it runs."""
    for step in STEPS:
        progress(step.name)
        step.run(settings, progress)
