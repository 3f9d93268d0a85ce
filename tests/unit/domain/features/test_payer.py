"""Who pays: the customer, else the card; one id gives one vector, in whichever field it stands."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given

from domain.features import (
    CATALOGUE,
    Entity,
    EntityState,
    FeatureEvent,
    FeatureSet,
    entity_keys,
    finish,
)
from domain.features.declarations.feature import Feature, Field
from domain.features.events import digest
from domain.features.reference.naive import reference_vector
from domain.times import DAY, HOUR
from domain.transactions import Transaction
from tests.builders.feature_streams import (
    CATALOGUE_REACH,
    SMALL,
    T0,
    Placed,
    bits,
    examples,
    folded,
    logs,
    transactions,
)

Ids = tuple[str | None, str | None]
"""Card and customer."""
Place = Callable[[str | None], Ids]


def in_card(who: str | None) -> Ids:
    return who, None


def in_customer(who: str | None) -> Ids:
    return None, who


def in_both(who: str | None) -> Ids:
    return who, who


PLACES = (in_card, in_customer, in_both)


def of_payers(features: FeatureSet) -> list[Feature]:
    """All but what looks at the card or the customer as such."""
    own = (Field.CARD, Field.CUSTOMER)
    return [f for f in features.features if f.entity is not Entity.CARD and f.field not in own]


def served(
    log: list[Placed], asked: Transaction, features: FeatureSet, ids: Place
) -> list[bytes | None]:
    """The vector when the customers of the stream are given by `ids`; the reference agrees."""
    given_log = []
    for partition, offset, event in log:
        card, customer = ids(event.customer_id)
        moved = event._replace(card_id=card, customer_id=customer)
        given_log.append(Placed(partition, offset, moved))
    card, customer = ids(asked.customer_id)
    x = paid_by(asked, card, customer)
    vector = finish(folded(given_log, x, features), x, features)
    assert bits(vector) == bits(reference_vector([e.event for e in given_log], x, features))
    wanted = {feature.name for feature in of_payers(features)}
    return bits([v for v, name in zip(vector, features.names, strict=True) if name in wanted])


def paid_by(x: Transaction, card: str | None, customer: str | None) -> Transaction:
    return Transaction(
        transaction_id=x.transaction_id, timestamp=x.timestamp, amount=x.amount,
        currency=x.currency, base_amount=x.base_amount, card_id=card, customer_id=customer,
        merchant_id=x.merchant_id, device_id=x.device_id, ip=x.ip, country=x.country, lat=x.lat,
        lon=x.lon, channel=x.channel,
    )  # fmt: skip


@examples(40)
@given(logs(CATALOGUE_REACH), transactions(CATALOGUE_REACH))
def test_one_id_in_either_field_gives_the_same_vector(
    log: list[Placed], asked: Transaction
) -> None:
    by_card, by_customer, by_both = (served(log, asked, CATALOGUE, ids) for ids in PLACES)
    assert by_card == by_customer
    assert by_card == by_both


@examples(15)
@given(logs(), transactions())
def test_every_kind_of_feature_is_the_same_in_either_field(
    log: list[Placed], asked: Transaction
) -> None:
    by_card, by_customer, by_both = (served(log, asked, SMALL, ids) for ids in PLACES)
    assert by_card == by_customer
    assert by_card == by_both


def test_all_that_hung_on_the_customer_is_the_payers() -> None:
    kinds = {f.entity for f in CATALOGUE.features} | {f.field for f in CATALOGUE.features}
    assert not {Entity.CUSTOMER, Entity.CUSTOMER_MERCHANT, Field.CUSTOMER} & kinds
    assert len(of_payers(CATALOGUE)) > 90


def event(number: int, card: str | None, customer: str | None, shop: str = "shop") -> FeatureEvent:
    name = f"t{number}"
    time = T0 + number * HOUR
    return FeatureEvent(
        *("transaction", time, digest(name), time, name, time, 1000), card, customer, shop
    )


def values(
    events: list[FeatureEvent], card: str | None, customer: str | None
) -> dict[str, float | None]:
    at = max(each.time for each in events) + HOUR
    x = Transaction(
        transaction_id="x", timestamp=at, amount=1000, currency="EUR", base_amount=1000,
        card_id=card, customer_id=customer, merchant_id="shop",
    )  # fmt: skip
    states = folded([Placed(0, n, each) for n, each in enumerate(events)], x, CATALOGUE)
    return dict(zip(CATALOGUE.names, finish(states, x), strict=True))


def test_the_cards_of_a_customer_are_one_payer() -> None:
    events = [event(1, "red", "ann"), event(2, "blue", "ann"), event(3, None, "ann")]
    found = values(events, "blue", "ann")
    assert (found["payer_count_1d"], found["card_count_1d"]) == (3.0, 1.0)
    # The card alone is another payer: nothing says whose it is.
    assert values(events, "blue", None)["payer_count_1d"] == 0.0


def test_a_card_of_the_same_id_as_a_customer_is_the_same_payer() -> None:
    events = [event(1, None, "7"), event(2, "7", None)]
    assert values(events, "7", None)["payer_count_1d"] == 2.0
    assert values(events, None, "7")["payer_merchant_count_1d"] == 2.0
    # What is the card's own stays apart.
    assert values(events, "7", None)["card_count_1d"] == 1.0
    assert values(events, "7", None)["merchant_distinct_payers_1d"] == 1.0


@pytest.mark.parametrize(("card", "customer"), [("ann", None), (None, "ann"), ("ann", "ann")])
def test_a_label_reaches_the_history_of_who_paid(card: str | None, customer: str | None) -> None:
    bought = event(1, card, customer)
    known = bought.time + HOUR
    label = bought._replace(kind="label", time=known, known_time=known, order=9, label=1)
    found = values([bought, label], card, customer)
    assert (found["payer_fraud_count_7d"], found["payer_label_1"]) == (1.0, 1.0)


def test_a_sample_of_many_payers_does_not_depend_on_the_field() -> None:
    counted = []
    for ids in PLACES:
        events = [event(0, *ids(f"p{n}"))._replace(order=n) for n in range(500)]
        counted.append(values(events, None, None)["merchant_distinct_payers_1d"])
    assert counted[0] != 500.0
    assert counted == [counted[0]] * 3


def test_a_set_of_an_earlier_version_is_still_computed() -> None:
    """Its own hash proves that every definition is as it was; states stay of customers alone."""
    history = Path(__file__).parents[3] / "histories" / "v1-feature-set.json"
    before = FeatureSet.from_json(history.read_text())
    assert before.hash == "d0fa922c4a6385d7"
    events = [event(1, "red", "ann"), event(2, "blue", "ann"), event(3, "ann", None)]
    x = paid_by(
        Transaction(
            transaction_id="x", timestamp=T0 + DAY, amount=1, currency="EUR", base_amount=1,
            merchant_id="shop",
        ), "red", "ann",
    )  # fmt: skip
    states: dict[Entity, EntityState] = {}
    for entity, key in entity_keys(x).items():
        state = states[entity] = EntityState(entity, key, before)
        for offset, each in enumerate(events):
            if entity_keys(each).get(entity) == key:
                state.fold(0, offset, each)
    found = dict(zip(before.names, finish(states, x, before), strict=True))
    assert found["customer_count_7d"] == 2.0
    assert found["customer_merchant_count_90d"] == 2.0
    assert found["merchant_distinct_customers_1d"] == 1.0
