"""The servers that other tests are given are real and ready."""

import psycopg
import pymongo
import redis
from confluent_kafka.admin import AdminClient

from runtime.settings import Settings


def test_every_server_answers_its_own_client(servers: Settings) -> None:
    kafka = AdminClient({"bootstrap.servers": servers.kafka_bootstrap_servers})
    assert len(kafka.list_topics(timeout=10).brokers) == 1
    assert redis.Redis.from_url(servers.redis_url).ping()
    with psycopg.connect(servers.database_url.replace("+psycopg", "")) as database:
        assert database.execute("SELECT current_database()").fetchone() == ("retrace",)
    with pymongo.MongoClient[dict[str, object]](servers.mongodb_url) as mongodb:
        assert mongodb.admin.command("ping")["ok"] == 1
