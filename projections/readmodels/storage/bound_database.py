"""Binding of the read models to their log: a table with the ids of its topics."""

from sqlalchemy import Engine, text

from eventlog.binding.bound import TopicIds
from projections.readmodels.storage.connecting import transaction

_KEEP = text("INSERT INTO log_topics VALUES (:topic, :id) ON CONFLICT DO NOTHING")
_HELD = text("SELECT topic, id FROM log_topics")


class BoundDatabase:
    """Implements eventlog.binding.bound.BoundStore."""

    place = "the database of the read models and feature vectors (DATABASE_URL)"
    remedy = "set that to an empty database"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def bound(self, ids: TopicIds) -> TopicIds:
        with transaction(self._engine) as connection:
            for topic, each in ids.items():
                connection.execute(_KEEP, {"topic": topic, "id": each})
            return {row.topic: row.id for row in connection.execute(_HELD)}
