"""The plain Kafka client: the floor of an import, with the same bytes, and topics of peers."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

_MOST_QUEUED = 100_000
_FLUSH_SECONDS = 120.0
_BROKEN_SECONDS = 0.05


def plainly_produced(
    servers: str, topic: str, records: Sequence[tuple[bytes | None, bytes]]
) -> dict[str, Any]:
    """How fast the records (key, value) were acknowledged, and what of a processor that took here.

    Raises RuntimeError where one was not.
    """
    failed: list[str] = []

    def delivered(error: Any, _message: Any) -> None:
        if error is not None:
            failed.append(str(error))

    producer = Producer(
        {
            "bootstrap.servers": servers,
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "queue.buffering.max.messages": _MOST_QUEUED,
        }
    )
    spent, began = time.process_time(), time.monotonic()
    for key, value in records:
        while True:
            try:
                producer.produce(topic, value, key, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(_BROKEN_SECONDS)
        producer.poll(0)
    left = producer.flush(_FLUSH_SECONDS)
    seconds = time.monotonic() - began
    if failed or left:
        raise RuntimeError(f"{left + len(failed)} records were not acknowledged: {failed[:1]}")
    count = max(len(records), 1)
    return {
        "records": len(records),
        "bytes_each": round(sum(len(value) for _, value in records) / count),
        "records_per_second": round(len(records) / seconds),
        "processor_us_each": round((time.process_time() - spent) / count * 1e6, 1),
    }


def make_topics(servers: str, names: Iterable[str], partitions: int) -> None:
    """Raises KafkaException where one is there already, or cannot be made."""
    asked = [NewTopic(name, partitions, 1) for name in names]
    # Its requests end with it.
    admin = AdminClient({"bootstrap.servers": servers})
    for future in admin.create_topics(asked).values():
        future.result()
