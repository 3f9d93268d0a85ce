"""Cases that people in the field met elsewhere: ties, late and repeated payments, outages."""

from collections.abc import Sequence
from typing import Any

import pytest

from commands import (
    Context,
    DecideTransaction,
    SubmitTransaction,
    decide_transaction,
    submit_transaction,
)
from commands.ports import ServedFeatures
from domain.errors import ConflictError, InvalidTransactionError
from domain.events import Envelope, TransactionScored
from domain.features import CATALOGUE, Entity, EntityState, FeatureEvent, feature_event
from domain.features.reference.naive import reference_vector
from domain.times import DAY, HOUR, MINUTE, SECOND, to_rfc3339
from domain.transactions import Transaction
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.table_log import TableLog
from eventlog.topics import TRANSACTIONS
from projections.replay.dataset import dataset
from tests.fakes.deciding import NOW, LogFeatureReader, deciding_process, feature, payload, score

WHO: dict[str, Any] = {"card_id": "card-1", "customer_id": "ann"}
T = NOW - HOUR


def of(scored: Envelope, *names: str) -> list[float | None]:
    return [feature(scored, name) for name in names]


def at(time: int) -> str:
    return to_rfc3339(time)


async def paid(context: Context, key: str, time: int, **more: Any) -> Envelope:
    scored: Envelope = await score(
        context, **{"transaction_id": key, "timestamp": at(time), **WHO, **more}
    )
    return scored


async def submitted(context: Context, key: str, time: int, **more: Any) -> Envelope:
    """By the roads that do not wait for the decision: a batch, and the inbox."""
    sent = payload(key, timestamp=at(time), **WHO | more)
    await submit_transaction(SubmitTransaction(payload=sent, raw=None, mode="submit"), context)
    scored = await decide_transaction(DecideTransaction(key), context)
    assert scored is not None
    return scored


def scored_events(log: InMemoryEventLog) -> list[Envelope]:
    found = [decode(recorded.value) for recorded in log.read(TRANSACTIONS)]
    return [each for each in found if isinstance(each.data, TransactionScored)]


def folded(events: Sequence[Envelope]) -> list[FeatureEvent]:
    return [event for each in events if (event := feature_event(each)) is not None]


def state_of_card(events: Sequence[Envelope]) -> bytes:
    state = EntityState(Entity.CARD, "card-1")
    for offset, event in enumerate(folded(events)):
        state.fold(0, offset, event)
    return state.to_bytes()


async def test_o23_ties_count_by_arrival_and_an_older_request_sees_nothing_later(
    log: InMemoryEventLog,
) -> None:
    with deciding_process(log) as context:
        ties = [await paid(context, f"tie-{n}", T) for n in range(3)]
        older = await paid(context, "older", T - HOUR - MINUTE)
    assert [of(each, "card_count_1h")[0] for each in ties] == [0, 1, 2]
    assert of(older, "card_count_1h", "card_count_1d", "card_hours_since_last") == [0, 0, None]
    table = TableLog()
    for each in scored_events(log):
        table.append_nowait(TRANSACTIONS, each.subject, each)
    training = dataset(table.table(), CATALOGUE, as_known_at=NOW)
    assert sorted(training.transaction_ids) == ["older", "tie-0", "tie-1", "tie-2"]


async def test_o23_a_batch_in_reverse_order_leaves_the_states_of_the_right_order() -> None:
    times = {"a": T, "b": T + MINUTE, "c": T + 2 * MINUTE}
    states = []
    for keys in ("abc", "cba"):
        log = InMemoryEventLog()
        with deciding_process(log) as context:
            decided = [await submitted(context, key, times[key]) for key in keys]
        states.append(state_of_card(decided))
        log.close()
    assert states[0] == states[1]


async def test_o24_windows_empty_by_time_alone_and_agree_with_the_reference(
    log: InMemoryEventLog,
) -> None:
    names = ("payer_count_1h", "card_count_1d", "payer_count_30d", "payer_amount_mean_30d")
    sums = ("card_amount_sum_1h", "card_amount_sum_1d")
    now = NOW
    with deciding_process(log, clock=lambda: now) as context:
        for number in range(3):
            await paid(context, f"p{number}", T + number * 20 * MINUTE, amount=10)
        before = folded(scored_events(log))
        now = NOW + 32 * DAY
        soon = await paid(context, "soon", T + 41 * MINUTE)
        hour = await paid(context, "hour", T + 40 * MINUTE + 2 * HOUR)
        with deciding_process(InMemoryEventLog()) as empty:
            nobody = await paid(empty, "nobody", T)
        month = await paid(context, "month", T + 32 * DAY - SECOND, customer_id="bob")
    assert of(soon, *sums) == [30.0, 30.0]
    assert of(soon, *names) == [3, 3, 3, 10.0]
    assert of(hour, *names, *sums) == [0, 4, 4, 32.5, 0.0, 130.0]
    assert of(month, *names, *sums) == of(nobody, *names, *sums) == [0, 0, 0, None, 0.0, 0.0]
    assert reference_vector(before, soon.data.transaction) == soon.data.features


SAME: tuple[dict[str, Any], ...] = (
    {"amount": 10.0}, {"amount": "10.00"}, {"amount": 1e1}, {"timestamp": at(T)[:-1] + "+00:00"},
    {"timestamp": at(T + HOUR)[:-1] + "+01:00"}, {"merchant_id": None, "channel": ""},
)  # fmt: skip


async def test_o25_a_retry_in_another_form_is_the_same_payment(log: InMemoryEventLog) -> None:
    with deciding_process(log) as context:
        first = await paid(context, "same", T, amount=10)
        for form in SAME:
            assert await paid(context, "same", **{"time": T, "amount": 10, **form}) == first
        backwards = dict(reversed(payload("same", timestamp=at(T), **WHO | {"amount": 10}).items()))
        again = SubmitTransaction(payload=backwards, raw=None, mode="submit")
        assert (await submit_transaction(again, context)).recorded
        with pytest.raises(ConflictError):
            await paid(context, "same", T, amount=10.01)
        for blank in ("", "  ", None):
            with pytest.raises(InvalidTransactionError, match="transaction_id"):
                await score(context, transaction_id=blank)
        after = await paid(context, "after", T + MINUTE)
    assert of(after, "card_count_1h", "payer_count_1h") == [1, 1]


async def test_o27_forms_of_one_address_are_one_address(log: InMemoryEventLog) -> None:
    forms = ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201", " 192.0.2.1 ")
    with deciding_process(log) as context:
        found = [
            await paid(context, f"ip-{n}", T, ip=form, card_id=f"card {n}")
            for n, form in enumerate(forms)
        ]
    assert {each.data.transaction.ip for each in found} == {"192.0.2.1"}
    assert [of(each, "ip_count_10m", "ip_distinct_cards_1d") for each in found] == [
        [n, n] for n in range(len(forms))
    ]


async def test_o28_a_clock_that_is_ahead_poisons_no_window(log: InMemoryEventLog) -> None:
    with deciding_process(log) as context:
        ahead = await paid(context, "ahead", NOW + 4 * MINUTE)
        for wrong in (NOW + 6 * MINUTE, NOW + 73 * 365 * DAY):
            with pytest.raises(InvalidTransactionError, match="in the future"):
                await paid(context, "wrong", wrong)
        true = await paid(context, "true", NOW)
        after = await paid(context, "after", NOW + 5 * MINUTE)
    assert of(ahead, "card_count_1h") == [0]
    assert of(true, "card_count_1h") == [0]  # what is ahead of it is no past
    assert of(after, "card_count_1h") == [2]


async def test_o28_a_payment_a_day_late_counts_from_its_arrival_and_is_seen_to_be_late(
    log: InMemoryEventLog,
) -> None:
    with deciding_process(log) as context:
        before = await paid(context, "before", T)
        late = await submitted(context, "late", T - 27 * HOUR)
        after = await paid(context, "after", T)
    counts = ("card_count_1d", "payer_count_7d")
    assert of(before, *counts) == of(late, *counts) == [0, 0]
    assert of(after, *counts) == [1, 2]
    assert late.known_time - late.time == NOW - T + 27 * HOUR


class AwayReader(LogFeatureReader):
    """The store of states is away until it is `back`."""

    back = False

    async def read(self, transaction: Transaction) -> ServedFeatures:
        if self.back:
            return await super().read(transaction)
        raise OSError("connection refused")


async def test_o29_declines_of_an_outage_say_so_in_their_reasons(log: InMemoryEventLog) -> None:
    reader = AwayReader(log)
    # The rules alone decline so large a sum of cash.
    large = {"amount": 6000, "channel": "atm", "mcc": "6051"}
    with deciding_process(log, features=reader) as context:
        outage = [await paid(context, f"out-{n}", T + n * SECOND, **large) for n in range(5)]
        reader.back = True
        sixth = await paid(context, "sixth", T + MINUTE)
    assert {each.data.outcome for each in outage} == {"decline"}
    assert {each.data.reasons[0] for each in outage} == {"path.fallback"}
    assert of(sixth, "card_declined_1d", "card_count_1h") == [5, 5]
    assert (sixth.data.path, sixth.data.outcome) == ("full", "approve")


async def test_o29_new_cards_on_one_device_are_counted_by_device_and_customer(
    log: InMemoryEventLog,
) -> None:
    with deciding_process(log) as context:
        for number in range(5):
            last = await paid(
                context, f"w{number}", T + number, card_id=f"wallet-{number}", device_id="phone"
            )
    names = ("card_count_1h", "device_count_1h", "device_distinct_cards_1d", "payer_count_1h")
    assert of(last, *names) == [0, 4, 4, 4]
