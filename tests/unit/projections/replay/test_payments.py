"""Payments of a training set: as the events say, each label only from its known time on."""

from hypothesis import given
from hypothesis import strategies as st

from domain.features.payments import UNLABELLED
from domain.times import DAY, HOUR
from projections.replay.dataset import dataset
from tests.builders.feature_events import labelled, paid
from tests.builders.feature_streams import SMALL, T0, Placed
from tests.unit.projections.replay.histories import histories, place, table

DELAYS = (0, HOUR, 4 * HOUR)


@given(histories(), st.integers(0, 9 * HOUR))
def test_payments_are_as_their_events_say(history: list[Placed], after: int) -> None:
    moment = T0 + after
    made = dataset(table(history), SMALL, as_known_at=moment, maturities=DELAYS, threads=1)
    seen = sorted((each for each in history if each.event.known_time <= moment), key=place)
    payments = {
        each.event.transaction_id: each.event for each in seen if each.event.kind == "transaction"
    }
    said: dict[str, list[tuple[int, int]]] = {}
    for each in sorted(seen, key=lambda each: each.offset):
        if each.event.label is not None:
            told = (each.event.known_time, each.event.label)
            said.setdefault(each.event.transaction_id, []).append(told)
    about = made.payments
    assert len(made) == len(payments)
    for row, name in enumerate(made.transaction_ids.tolist()):
        event = payments[name]
        assert about.amounts[row] == event.base_amount
        assert about.declined[row] == (event.outcome == "decline")
        for number, delay in enumerate(DELAYS):
            by_then = [label for at, label in said.get(name, []) if at - event.time <= delay]
            assert about.matured[row, number] == (by_then[-1] if by_then else UNLABELLED)
    holders = {
        (event.card_id, event.card_id is None and event.customer_id): int(holder)
        for event, holder in zip(
            (payments[name] for name in made.transaction_ids.tolist()), about.holders, strict=True
        )
    }
    assert all((holder == 0) == (key == (None, None)) for key, holder in holders.items())
    assert len(set(holders.values())) == len(holders)


def test_each_use_of_an_id_has_its_own_label() -> None:
    """The second is labelled before it is decided: at a lesser offset than its decision."""
    late = 401 * DAY
    first, second = paid("t", T0, 100), paid("t", T0 + late, 200)
    said = [labelled("t", at.time + HOUR, value)._replace(transaction_time=at.time)
            for at, value in ((first, 1), (second, 0))]  # fmt: skip
    log = [Placed(0, offset, each) for offset, each in enumerate((first, said[0], said[1], second))]
    made = dataset(table(log), SMALL, as_known_at=T0 + 2 * late, maturities=(DAY,), threads=1)
    assert (made.labels.tolist(), made.payments.matured[:, 0].tolist()) == ([1, 0], [1, 0])
