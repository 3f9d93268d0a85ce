"""Opening what operations on features need: the log, the online states and the offline vectors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from domain.errors import UnavailableError
from domain.features import FeatureSet
from operations.features.rebuild import RebuildPorts
from operations.features.verify import Vectors, VerificationPorts
from operations.monitoring.projection_lag import read_positions
from projections.online.adapters.feast_repo import apply, feature_store, repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.adapters.redis_generations import RedisGenerations
from projections.online.adapters.state_bulk import BulkStates
from projections.readmodels.retention import since_of
from projections.readmodels.storage.connecting import build_engine, transaction
from projections.readmodels.storage.feature_columns import ensure_feature_columns
from projections.settings import PostgresSettings
from projections.verification.feast_side import retrieved_vectors
from projections.verification.postgres_side import stored_vectors
from runtime.composition.history import open_history
from runtime.composition.models import artefacts_of
from runtime.composition.positions import open_positions
from runtime.composition.read_models import open_engine
from runtime.settings import Settings

if TYPE_CHECKING:
    from feast import RepoConfig

_RETRIEVED_AT_ONCE = 100_000


def generations_of(settings: Settings, project: str | None = None) -> RedisGenerations:
    return RedisGenerations(repo_config(settings, project=project))


def feast_config(settings: Settings, project: str) -> RepoConfig:
    """That of this installation, for another project."""
    return repo_config(settings, project=project)


def states_of(settings: Settings, project: str | None = None) -> FeastStateStore:
    return FeastStateStore(repo_config(settings, project=project))


def states_in_bulk(settings: Settings, generation: int) -> BulkStates:
    return BulkStates(repo_config(settings), generation)


@contextmanager
def open_rebuild(settings: Settings) -> Iterator[RebuildPorts]:
    """Raises UnavailableError, IntegrityError for another log's archive."""
    config = repo_config(settings)
    with open_history(settings) as (log, history):
        yield RebuildPorts(
            log=log,
            history=history,
            generations=RedisGenerations(config),
            states=FeastStateStore(config),
            bulk=lambda generation: BulkStates(config, generation.number),
            prepare=lambda features: _prepare(settings, features),
            models=artefacts_of(settings),
        )


@contextmanager
def open_verification(settings: Settings) -> Iterator[VerificationPorts]:
    """Raises UnavailableError, IntegrityError for another log's archive."""
    with open_history(settings) as (log, history), open_positions(settings) as positions:
        yield VerificationPorts(
            log=log,
            history=history,
            states=FeastStateStore(repo_config(settings)),
            kept_since=lambda: _kept_since(settings),
            stored=lambda features: _stored(settings.database_url, features),
            retrieved=lambda features, times: retrieved_vectors(
                feature_store(settings), features, times, _RETRIEVED_AT_ONCE
            ),
            positions=lambda: read_positions(positions),
        )


def _kept_since(settings: Settings) -> int | None:
    with open_engine(settings) as engine:
        return since_of(engine)


def _prepare(settings: Settings, features: FeatureSet) -> None:
    engine = build_engine(PostgresSettings(settings.database_url), writer=True)
    try:
        with transaction(engine) as connection:
            ensure_feature_columns(connection, features.names)
    finally:
        engine.dispose()
    apply(settings)


def _stored(database_url: str, features: FeatureSet) -> Vectors:
    url = database_url.replace("+psycopg", "", 1)
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            yield from stored_vectors(connection, features)
    except psycopg.Error as error:
        raise UnavailableError("postgresql", str(error)) from error
