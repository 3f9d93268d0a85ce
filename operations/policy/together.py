"""Sets of the policy that come into force together: one fact, at one position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import cast

from commands.policy.drafts import MOST_BYTES
from commands.policy.rules import SOURCE
from commands.policy.topic import append_fact
from domain.errors import InvalidInputError
from domain.events import Envelope, PolicyPublished, SetPublished
from eventlog.codec import encode
from eventlog.port import EventLog, Recorded
from eventlog.topics import POLICY, Topic


class Together:
    """Takes what the commands of single sets would append, and appends it as one fact.

    Each command looks at its own set alone, so that none needs to see what another has appended.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._facts: dict[str, Envelope] = {}

    @property
    def log(self) -> EventLog:
        """For the commands: they read of it, and append to it."""
        return cast(EventLog, self)

    def read(
        self,
        topic: Topic,
        start: Mapping[int, int] | None = None,
        end: Mapping[int, int] | None = None,
    ) -> Iterator[Recorded]:
        return self._log.read(topic, start, end)

    def append_nowait(self, topic: Topic, key: str | None, envelope: Envelope) -> None:
        assert (topic, key) == (POLICY, None)
        self._facts[envelope.subject] = envelope

    def flush(self, timeout: float = 60.0) -> None:
        """Nothing was sent."""

    def publish(self) -> None:
        """Returns once it is acknowledged. Raises InvalidInputError for more than a record holds,
        and LogUnavailableError, after which a repetition is harmless."""
        facts = list(self._facts.values())
        if len(facts) == 1:
            self._log.append_nowait(POLICY, None, facts[0])
            self._log.flush()
        elif facts:
            self._append(facts)

    def _append(self, facts: list[Envelope]) -> None:
        size = sum(len(encode(each)) for each in facts)
        if size > MOST_BYTES:
            raise InvalidInputError(
                "policy",
                f"sets that come into force together have at most {MOST_BYTES:,} bytes, and these"
                f" {size:,}: publish them one by one, from folders of one file",
            )
        sets: dict[str, SetPublished] = {each.subject: each.data for each in facts}
        fact = PolicyPublished(**sets)  # type: ignore[arg-type]
        ids = "\n".join(each.id for each in facts)
        event_id = f"{fact.NAME}/{sha256(ids.encode()).hexdigest()}"
        append_fact(self._log, fact, event_id, SOURCE, "policy", facts[0].known_time)
