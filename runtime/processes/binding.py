"""Composition of what is bound to the log, by process: see eventlog.binding."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from eventlog.binding.bound import BoundStore
from eventlog.binding.bound_folder import BoundFolder
from projections.settings import MongoSettings, PostgresSettings
from runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Bound:
    """A process begins once the `needed` are bound; it `watches` those without which it works."""

    needed: list[BoundStore]
    watched: list[BoundStore]

    @property
    def every(self) -> list[BoundStore]:
        return [*self.needed, *self.watched]


@contextmanager
def open_bound(settings: Settings, process: str) -> Iterator[Bound]:
    """Connects on first use. What decides works without Redis, and never with that of another log.

    The archive compares its newest events with the log's (eventlog.archive.identity).
    """
    with ExitStack() as stack:
        memories: list[BoundStore] = [memories_in(settings.state_dir / "ledger")]
        if process == "features":
            yield Bound([*memories, _online_states(settings)], [])
        elif process in ("readmodels", "offline"):
            yield Bound([*memories, stack.enter_context(open_bound_database(settings))], [])
        elif process == "evidence":
            yield Bound([*memories, stack.enter_context(_open_evidence(settings))], [])
        elif process == "archive":
            yield Bound(memories, [])
        else:
            yield Bound(memories, [_online_states(settings)])


def memories_in(folder: Path) -> BoundStore:
    return BoundFolder(folder, "the memory of ids")


@contextmanager
def open_bound_database(settings: Settings) -> Iterator[BoundStore]:
    from projections.readmodels.storage.bound_database import BoundDatabase
    from projections.readmodels.storage.connecting import build_engine

    engine = build_engine(PostgresSettings(settings.database_url), writer=True)
    try:
        yield BoundDatabase(engine)
    finally:
        engine.dispose()


@contextmanager
def _open_evidence(settings: Settings) -> Iterator[BoundStore]:
    from projections.evidence.adapters.bound_mongo import BoundMongo
    from projections.evidence.adapters.mongo import build_client

    with closing(build_client(MongoSettings(settings.mongodb_url))) as client:
        yield BoundMongo(client)


def _online_states(settings: Settings) -> BoundStore:
    """Importing Feast takes seconds."""
    from projections.online.adapters.bound_redis import BoundRedis
    from projections.online.adapters.feast_repo import repo_config

    return BoundRedis(repo_config(settings))
