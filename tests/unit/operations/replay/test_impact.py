"""Impact of late events: decisions that would have differed had they been known."""

from dataclasses import replace

import pytest

from domain.errors import InvalidInputError, NotFoundError
from domain.events import TransactionImported, TransactionSubmitted, transaction_event_id
from domain.times import from_rfc3339
from eventlog.topics import TRANSACTIONS
from operations.replay.impact import Impact, impact
from tests.builders.decisions.history import DecidedHistory, decided_history
from tests.fakes.events import imported
from tests.fakes.rules import rule

BUSY = rule("busy", "card_count_1h >= 2.0", action="decline", words="{card_count_1h} payments")


def late(history: DecidedHistory, name: str, at: str, card: str) -> str:
    """A payment that is known only now; returns the id of its event."""
    fact = imported(name)
    paid = replace(fact.data.transaction, timestamp=from_rfc3339(at), card_id=card)
    fact = replace(fact, data=replace(fact.data, transaction=paid), time=paid.timestamp)
    history.log.append_nowait(TRANSACTIONS, name, replace(fact, known_time=paid.timestamp))
    return transaction_event_id(TransactionImported, name)


def found(history: DecidedHistory, event_id: str) -> Impact:
    return impact(history.ports, event_id, lambda _: None, lambda *_: None)


async def test_a_late_payment_changes_the_decisions_of_its_card_that_followed() -> None:
    with decided_history() as history:
        history.promote(0, 0.5)
        history.publish([BUSY])
        for minute, card in ((0, "card-1"), (10, "card-1"), (20, "card-2"), (90, "card-1")):
            at = f"2023-10-01T{10 + minute // 60}:{minute % 60:02}:00Z"
            await history.pay(f"t-{minute}", 50, at, card_id=card)
        event_id = late(history, "late", "2023-10-01T10:05:00Z", "card-1")
        made = found(history, event_id)
        # What has seen it is not affected by it.
        await history.pay("t-95", 50, "2023-10-01T11:00:00Z", card_id="card-1")
        again = found(history, event_id)
    assert made.affected == again.affected
    assert [(a.transaction_id, a.outcomes, a.alert) for a in made.affected if a.alert] == [
        ("t-10", ("approve", "decline"), "raise")
    ]
    count = next(a.features["card_count_1h"] for a in made.affected if a.transaction_id == "t-10")
    assert count == (1.0, 2.0)


async def test_a_late_label_counts_as_if_known_with_its_payment() -> None:
    risky = rule("risky", "payer_fraud_count_30d >= 1.0", action="review", words="A fraud.")
    with decided_history() as history:
        history.promote(0, 0.8)
        history.publish([risky])
        await history.pay("t-0", 50, "2023-09-20T10:00:00Z", card_id="card-1")
        await history.pay("t-1", 50, "2023-09-25T10:00:00Z", card_id="card-1")
        history.label("t-0", 1, "card-1")
        made = found(history, history.last_label)
    assert [(a.transaction_id, a.outcomes, a.alert) for a in made.affected] == [
        ("t-1", ("approve", "review"), "raise")
    ]


async def test_an_event_that_no_feature_folds_and_one_that_is_not_there_are_refused() -> None:
    with decided_history() as history:
        await history.pay("t-0", 50, "2023-09-20T10:00:00Z")
        with pytest.raises(InvalidInputError, match="no feature depends on"):
            found(history, transaction_event_id(TransactionSubmitted, "t-0"))
        with pytest.raises(NotFoundError):
            found(history, "nothing")
