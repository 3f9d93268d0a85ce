"""Every topic: name, generation, key, partitions, retention. Declared here alone."""

from dataclasses import dataclass
from enum import StrEnum

from domain.times import DAY

FOREVER = -1


class Key(StrEnum):
    """What a record's Kafka key holds, and so what shares a partition and keeps its order."""

    TRANSACTION_ID = "transaction id"
    SUBJECT = "transaction id, or model id where an alert is about a model"
    NONE = "none (one partition)"
    EXPLICIT = "none (partition chosen by the writer from the entity key)"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Topic:
    """`retention_us` is in microseconds (FOREVER keeps all); `rank` orders equal known times.

    A partition count never changes: growth is a new generation of the topic.
    """

    base: str
    partitions: int
    key: Key
    retention_us: int
    rank: int
    purpose: str
    generation: int = 1

    @property
    def name(self) -> str:
        return f"{self.base}.g{self.generation}" if self.generation else self.base


TRANSACTIONS = Topic(
    "retrace.transactions", 8, Key.TRANSACTION_ID, FOREVER, 1, "all facts about one transaction"
)
POLICY = Topic(
    "retrace.policy", 1, Key.NONE, FOREVER, 0, "models, thresholds, rules, lists; offset = version"
)
ALERTS = Topic("retrace.alerts", 4, Key.SUBJECT, FOREVER, 2, "alerts and their handling")
ENTITIES = Topic(
    "retrace.entities",
    8,
    Key.EXPLICIT,
    7 * DAY,
    3,
    "transactions and labels routed to each entity, in batches; derived, rebuilt from the log",
)
DEAD_LETTERS = Topic(
    "retrace.dead-letters", 1, Key.NONE, 90 * DAY, 4, "records that could not be read or folded"
)
BACKTESTS = Topic(
    "retrace.backtests", 1, Key.NONE, FOREVER, 5, "policies that were tried on the past"
)
INBOX_TRANSACTIONS = Topic(
    "inbox.transactions",
    4,
    Key.ANY,
    7 * DAY,
    9,
    "submissions of foreign producers; not part of the log",
    generation=0,
)

TOPICS: tuple[Topic, ...] = (
    TRANSACTIONS,
    POLICY,
    ALERTS,
    ENTITIES,
    DEAD_LETTERS,
    BACKTESTS,
    INBOX_TRANSACTIONS,
)

_BY_NAME = {topic.name: topic for topic in TOPICS}


def by_name(name: str) -> Topic:
    """Raises KeyError."""
    return _BY_NAME[name]
