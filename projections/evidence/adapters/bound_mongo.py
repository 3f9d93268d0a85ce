"""Binding of the evidence in MongoDB to its log: a document for each of its topics."""

from eventlog.binding.bound import TopicIds
from projections.evidence.adapters.mongo import Client, translated_errors


class BoundMongo:
    """Implements eventlog.binding.bound.BoundStore."""

    place = "the evidence in MongoDB (MONGODB_URL)"
    remedy = "set that to an empty database"

    def __init__(self, client: Client) -> None:
        self._topics = client.get_default_database("retrace")["log_topics"]

    def bound(self, ids: TopicIds) -> TopicIds:
        with translated_errors():
            for topic, each in ids.items():
                self._topics.update_one({"_id": topic}, {"$setOnInsert": {"id": each}}, upsert=True)
            return {each["_id"]: each["id"] for each in self._topics.find()}
