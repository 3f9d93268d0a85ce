"""Label retry: early labels are tried until their transaction is known, and no longer."""

import asyncio
from contextlib import suppress

from commands.agents.label_retry import LabelRetry
from domain.errors import ConflictError, RetraceError
from domain.events import Envelope, RecordDeadLettered
from eventlog.batch import Batch
from eventlog.dead_letters import DeadRecord, dead_letter_event
from eventlog.topics import DEAD_LETTERS
from tests.builders.workers.pieces import batch
from tests.fakes.events import NOW


def letter(offset: int, reader: str = "labels") -> Envelope:
    record = DeadRecord(
        reader=reader, origin="api", partition=0, offset=offset, reason="unknown", original=b"x"
    )
    return dead_letter_event(record, b"k" * 32, NOW)


def fetched(*values: Envelope | bytes | None) -> Batch:
    return batch(values, topic=DEAD_LETTERS)


class Retry:
    """Answers as told by offset (False, True or an error), else True; `tried` tells the order."""

    def __init__(self, answers: dict[int, list[bool | RetraceError]]) -> None:
        self.answers = answers
        self.tried: asyncio.Queue[int] = asyncio.Queue()

    async def __call__(self, letter: RecordDeadLettered) -> bool:
        self.tried.put_nowait(letter.offset)
        left = self.answers.get(letter.offset, [])
        answer = left.pop(0) if left else True
        if isinstance(answer, RetraceError):
            raise answer
        return answer


async def tries(handler: LabelRetry, retry: Retry, number: int) -> list[int]:
    """The offsets of the next so many tries, while the handler watches."""
    watching = asyncio.create_task(handler.retry_due())
    try:
        return [await asyncio.wait_for(retry.tried.get(), 10) for _ in range(number)]
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def test_a_letter_is_tried_until_it_is_done_and_others_meanwhile() -> None:
    retry = Retry({1: [False, False, True], 9: [False] * 100_000})
    handler = LabelRetry("labels", retry, 0.0)
    assert await handler.assign({0}) == {0: 0}
    await handler.handle(fetched(letter(1), letter(2), letter(9)))
    assert await tries(handler, retry, 9) == [1, 2, 9, 1, 9, 1, 9, 9, 9]


async def test_one_that_fails_stays_and_holds_no_other_up() -> None:
    retry = Retry({1: [ConflictError("t", "no")], 9: [False] * 100_000})
    handler = LabelRetry("labels", retry, 0.0)
    await handler.assign({0})
    await handler.handle(fetched(letter(1), letter(9)))
    assert await tries(handler, retry, 5) == [1, 9, 1, 9, 9]


async def test_letters_of_others_and_what_cannot_be_read_are_passed_over() -> None:
    retry = Retry({3: [False] * 100_000})
    handler = LabelRetry("labels", retry, 0.0)
    await handler.assign({0})
    await handler.handle(fetched(letter(1, "ingress"), b"garbage", None, letter(3), letter(3)))
    assert await tries(handler, retry, 3) == [3, 3, 3]


async def test_a_revoked_partition_is_tried_by_another() -> None:
    retry = Retry({2: [False] * 100_000})
    handler = LabelRetry("labels", retry, 0.0)
    await handler.assign({0})
    await handler.handle(fetched(letter(1)))
    await handler.revoke({0})
    await handler.handle(fetched(letter(2)))
    assert await tries(handler, retry, 3) == [2, 2, 2]
