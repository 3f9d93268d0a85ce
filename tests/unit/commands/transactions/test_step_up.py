"""Step-up results: which are refused, and that the first decides the payment, once."""

import asyncio
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import ConcludeStepUp, Context, conclude_step_up
from commands.transactions.step_up import parse_step_up
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.events import Envelope, StepUpConcluded, StepUpResult
from domain.times import MINUTE
from eventlog.admission.first_wins import HORIZON_US
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from tests.fakes.deciding import NOW, deciding_process, score
from tests.fakes.events import imported

ASKS = 0.8
"""A score between the thresholds of step_up and decline."""


def results(log: InMemoryEventLog) -> list[Envelope]:
    found = [decode(record.value) for record in log.read(TRANSACTIONS)]
    return [each for each in found if isinstance(each.data, StepUpConcluded)]


def said(result: StepUpResult, reporter: str = "3ds", **more: Any) -> ConcludeStepUp:
    return ConcludeStepUp(transaction_id="t", result=result, reporter=reporter, **more)


async def asked(context: Context) -> None:
    decision = await score(context, transaction_id="t", customer_id="anna", card_id="c")
    assert decision.data.outcome == "step_up"


async def test_a_result_is_recorded_once_with_what_features_need() -> None:
    log = InMemoryEventLog()
    with deciding_process(log, value=ASKS) as context:
        await asked(context)
        command = said("failed", reference="4111 1111 1111 1111", time=NOW - MINUTE)
        assert not (await conclude_step_up(command, context)).duplicate
        assert (await conclude_step_up(command, context)).duplicate
    [kept] = results(log)
    data: StepUpConcluded = kept.data
    assert (data.result, data.customer_id, data.card_id) == ("failed", "anna", "c")
    assert (kept.subject, kept.time, kept.known_time) == ("t", NOW - MINUTE, NOW)
    assert data.reference is not None
    assert "4111" not in data.reference


async def test_an_equal_result_is_no_news_and_another_one_is_refused() -> None:
    log = InMemoryEventLog()
    with deciding_process(log, value=ASKS) as context:
        await asked(context)
        await conclude_step_up(said("abandoned"), context)
        assert (await conclude_step_up(said("abandoned", "bank"), context)).duplicate
        with pytest.raises(ConflictError, match="was abandoned already, as 3ds reported"):
            await conclude_step_up(said("passed", "bank"), context)
    assert len(results(log)) == 1


async def test_what_has_no_step_up_has_no_result() -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        with pytest.raises(NotFoundError, match="no transaction with id 't'"):
            await conclude_step_up(said("passed"), context)
        await score(context, transaction_id="t")
        with pytest.raises(ConflictError, match="was decided as approve: only a step_up"):
            await conclude_step_up(said("passed"), context)
        await log.append(TRANSACTIONS, "old", imported("old"))
        command = ConcludeStepUp(transaction_id="old", result="passed", reporter="3ds")
        with pytest.raises(NotFoundError, match="history"):
            await conclude_step_up(command, context)
    assert results(log) == []


async def test_of_processes_that_report_at_once_one_is_first_and_all_say_so() -> None:
    log = InMemoryEventLog()
    with deciding_process(log, value=ASKS) as one, deciding_process(log, value=ASKS) as other:
        await asked(one)
        await other.ledger.barrier()
        answers = await asyncio.gather(
            conclude_step_up(said("passed"), one),
            conclude_step_up(said("failed"), other),
            conclude_step_up(said("passed"), other),
            return_exceptions=True,
        )
        refused = [each for each in answers if isinstance(each, ConflictError)]
        assert len(refused) in (1, 2)
        kinds = [getattr(each, "duplicate", None) for each in answers]
        assert kinds.count(False) == 1


async def test_an_id_that_is_used_again_has_a_step_up_of_its_own() -> None:
    log, now = InMemoryEventLog(), [NOW]
    with deciding_process(log, value=ASKS, clock=lambda: now[0]) as context:
        await asked(context)
        await conclude_step_up(said("failed"), context)
        now[0] += HORIZON_US + MINUTE
        with pytest.raises(NotFoundError):
            await conclude_step_up(said("passed"), context)
        await asked(context)
        assert not (await conclude_step_up(said("passed"), context)).duplicate
        assert (await conclude_step_up(said("passed"), context)).duplicate


@given(st.lists(st.sampled_from(get_args(StepUpResult)), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
async def test_whatever_is_reported_after_it_the_first_result_stays(
    reported: list[StepUpResult],
) -> None:
    log = InMemoryEventLog()
    with deciding_process(log, value=ASKS) as context:
        await asked(context)
        for number, result in enumerate(reported):
            if result == reported[0]:
                receipt = await conclude_step_up(said(result, f"r{number}"), context)
                assert receipt.duplicate == (number > 0)
            else:
                with pytest.raises(ConflictError):
                    await conclude_step_up(said(result, f"r{number}"), context)
    assert [each.data.result for each in results(log)] == [reported[0]]


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "result"),
        ({"result": "maybe"}, "result"),
        ({"result": ["passed"]}, "result"),
        ({"result": "passed", "reporter": " "}, "reporter"),
        ({"result": "passed", "reference": 7}, "reference"),
        ({"result": "passed", "reference": "a\0b"}, "reference"),
        ({"result": "passed", "timestamp": "yesterday"}, "timestamp"),
        ({"result": "passed", "outcome": "approve"}, "body"),
    ],
)
def test_what_is_wrong_is_refused_by_name(payload: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_step_up("t", payload)
    assert refused.value.field == field


async def test_a_result_of_tomorrow_is_refused() -> None:
    early = said("passed", time=NOW + 6 * MINUTE)
    with (
        deciding_process(InMemoryEventLog()) as context,
        pytest.raises(InvalidInputError, match="timestamp"),
    ):
        await conclude_step_up(early, context)
