"""Ends of the log, as the client tells them after its broker was killed and has come back."""

from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ListOffsetsResultInfo

from domain.errors import LogUnavailableError
from eventlog.adapters.kafka_topics import StoredTopics
from eventlog.settings import KafkaSettings
from eventlog.topics import POLICY

NO_OFFSET = -1001


class Client:
    """Gives `answers` one after the other; an answer of None: the leader epoch that it knows has
    passed, until it is told the new one."""

    def __init__(self, *answers: int | None) -> None:
        self._answers = list(answers)

    def list_offsets(self, asked: dict[Any, Any], **_: Any) -> dict[Any, Future[Any]]:
        answer: Future[Any] = Future()
        offset = self._answers[0]
        if offset is None:
            passed = KafkaError(KafkaError.FENCED_LEADER_EPOCH)
            answer.set_exception(KafkaException(passed))
        else:
            answer.set_result(ListOffsetsResultInfo(offset, 0, 0))
            self._answers = self._answers[1:] or self._answers
        return dict.fromkeys(asked, answer)

    def list_topics(self, _topic: str, **_: Any) -> None:
        if self._answers[0] is None:
            del self._answers[0]

    def poll(self, _timeout: float) -> int:
        return 0


def topics(*answers: int | None) -> StoredTopics:
    made = StoredTopics(KafkaSettings("broker:9092", request_timeout=0.5))
    made._client = Client(*answers)
    made._checked.add(POLICY.name)
    return made


@pytest.mark.parametrize("answers", [(None, 7), (NO_OFFSET, 7)])
async def test_ends_are_asked_again_until_they_are_those_of_the_new_leader(
    answers: tuple[int | None, ...],
) -> None:
    assert await topics(*answers).ends(POLICY) == [7]
    assert topics(*answers).bounds(POLICY)[0] == [7]


async def test_what_is_no_offset_is_never_an_end() -> None:
    with pytest.raises(LogUnavailableError, match="broker:9092 cannot tell the offsets"):
        await topics(NO_OFFSET).ends(POLICY)
