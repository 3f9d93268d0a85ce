"""The default policy: each rule holds for what it is about, and not for what is near to it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from commands.intake.tokens import Tokeniser
from commands.policy.active import ActivePolicy
from commands.policy.adapters.cel import CelLanguage
from commands.policy.lists.change import ChangeList, change_list
from commands.policy.topic import current_policy
from domain.cleaning.list_keys import list_keys
from domain.events import ListEntry
from domain.policy.rules.ruling import Truth, Value
from domain.rule_values import TYPES
from domain.times import MINUTE, to_rfc3339
from eventlog.in_memory import InMemoryEventLog
from operations.policy.publishing import DEFAULT_FOLDER, RulePublisher, lint
from tests.fakes.deciding import NOW, FixedScorer, deciding_process, score

LANGUAGE = CelLanguage(TYPES)
CLEAN = partial(list_keys, tokenise=Tokeniser(b"t" * 32))
FOUND = lint(DEFAULT_FOLDER, LANGUAGE, CLEAN)
RULES = {each.rule.name: each.rule for each in FOUND.rules}
LISTS = [each.declared for each in FOUND.lists]

Known = Mapping[str, Value]
TESTED: Known = {"device_distinct_cards_1d": 5.0, "device_distinct_payers_7d": 6.0}
PROBED: Known = {"card_count_10m": 3.0, "amount": 1.0, "remote": 1.0}
FAR: Known = {
    "card_speed": 1500.0,
    "card_km_from_last": 1500.0,
    "payer_new_country": 1.0,
    "transaction.channel": "pos",
}
TAKEN: Known = {
    "payer_new_device": 1.0,
    "payer_new_country": 1.0,
    "payer_count_30d": 3.0,
    "payer_amount_to_q95_90d": 1.5,
}
NEW: Known = {
    "payer_new_device": 1.0,
    "payer_new_merchant": 1.0,
    "payer_count_30d": 3.0,
    "payer_amount_to_max_30d": 2.5,
}
MULE: Known = {
    "transaction.channel": "transfer",
    "merchant_distinct_payers_1d": 5.0,
    "merchant_count_1d": 8.0,
    "merchant_count_30d": 10.0,
}
TRUSTED: Known = {"lists.trusted_customers": True, "amount": 499.0}
CASES: list[tuple[str, Known, Known]] = [
    ("denied", {"lists.denied_devices": True}, {"lists.denied_devices": False}),
    ("watched", {"lists.watched_countries": True}, {"lists.watched_countries": False}),
    ("sanctioned-name", {"lists.sanctioned_names": 0.9}, {"lists.sanctioned_names": 0.89}),
    ("trusted", TRUSTED, {**TRUSTED, "amount": 500.0}),
    ("card-testing", TESTED, {**TESTED, "device_distinct_cards_1d": 4.0}),
    ("card-testing", TESTED, {**TESTED, "device_distinct_payers_7d": 50.0}),
    ("card-probing", PROBED, {**PROBED, "amount": 2.0}),
    ("card-probing", PROBED, {**PROBED, "remote": 0.0}),
    ("velocity", {"card_count_1h": 10.0}, {"card_count_1h": 9.0}),
    ("impossible-travel", FAR, {**FAR, "transaction.channel": "ecom"}),
    ("impossible-travel", FAR, {**FAR, "card_speed": 900.0}),
    ("impossible-travel", FAR, {**FAR, "card_km_from_last": 30.0}),
    ("impossible-travel", FAR, {**FAR, "payer_new_country": 0.0}),
    ("account-takeover", TAKEN, {**TAKEN, "payer_new_country": 0.0}),
    ("account-takeover", TAKEN, {**TAKEN, "payer_count_30d": 2.0}),
    ("new-device-and-payee", NEW, {**NEW, "payer_new_merchant": 0.0}),
    ("new-device-and-payee", NEW, {**NEW, "payer_amount_to_max_30d": 2.0}),
    ("mule-payee", MULE, {**MULE, "transaction.channel": "pos"}),
    ("mule-payee", MULE, {**MULE, "merchant_count_30d": 100.0}),
    ("placeholder-id", {"device_distinct_payers_7d": 50.0}, {"device_distinct_payers_7d": 49.0}),
    ("own-outage", {"path": "fallback"}, {"path": "full"}),
]


def truth(name: str, known: Known) -> Truth:
    return LANGUAGE.compile([RULES[name]], LISTS).truths(known)[0]


def test_nothing_is_wrong_with_it_and_each_rule_is_tried() -> None:
    assert FOUND.faults == []
    assert {name for name, _, _ in CASES} == RULES.keys()


@pytest.mark.parametrize(("name", "fires", "not_"), CASES)
def test_a_rule_holds_for_its_case_and_not_for_the_next_one(
    name: str, fires: Known, not_: Known
) -> None:
    assert truth(name, fires) is True
    assert truth(name, not_) is not True
    assert truth(name, {}) is None


Payload = dict[str, Any]
NIGHTS = 24 * 60


def at(minutes: float, **fields: Any) -> Payload:
    """So long before the last payment."""
    return {"timestamp": to_rfc3339(NOW - int(minutes * MINUTE)), "currency": "EUR"} | fields


def many(count: int, minutes: float, **fields: Any) -> list[Payload]:
    return [at(minutes * (n + 1), **fields) for n in range(count)]


def apart(count: int, name: str, minutes: float = 1, **fields: Any) -> list[Payload]:
    """Each with an id of its own in the field `name`."""
    return [at(minutes, **{name: f"{name}-{n}"}, **fields) for n in range(count)]


HOME: Payload = {"customer_id": "k", "device_id": "d", "country": "DE", "merchant_id": "m"}
USUAL = many(5, NIGHTS, **HOME, amount=20)
AWAY = at(0, **HOME | {"device_id": "other", "country": "BR", "merchant_id": "n"}, amount=90)
PLACE: Payload = {"card_id": "c", "channel": "pos", "lat": 52.5, "lon": 13.4, "country": "DE"}
GONE = at(0, **PLACE | {"lat": 40.7, "lon": -74.0, "country": "US"})
SENT: Payload = {"channel": "transfer", "merchant_id": "mule"}
SHARED = apart(50, "customer_id", 2 * NIGHTS, device_id="unknown-device")
STORIES: list[tuple[str, list[Payload], Payload, Payload]] = [
    ("denied", [], at(0, card_id="4111111111111111"), at(0, card_id="4222222222222")),
    ("denied", [], at(0, ip="203.0.113.9"), at(0, ip="203.0.114.9")),
    ("watched", [], at(0, country="KP"), at(0, country="DE")),
    (
        "sanctioned-name",
        [],
        at(0, attributes={"payee_name": "Ivan PETROW"}),
        at(0, attributes={"payee_name": "Maria Petrov"}),
    ),
    ("trusted", [], at(0, customer_id="vip", amount=400), at(0, customer_id="vip", amount=600)),
    (
        "card-testing",
        apart(5, "card_id", device_id="d"),
        at(0, card_id="c", device_id="d"),
        at(0, card_id="c", device_id="other"),
    ),
    (
        "card-probing",
        many(3, 1, card_id="c", amount=1),
        at(0, card_id="c", amount=1, channel="ecom"),
        at(0, card_id="c", amount=1, channel="pos"),
    ),
    ("velocity", many(10, 5, card_id="c"), at(0, card_id="c"), at(0, card_id="other")),
    ("impossible-travel", [at(60, **PLACE)], GONE, GONE | {"channel": "ecom"}),
    ("account-takeover", USUAL, AWAY, AWAY | {"country": "DE"}),
    ("new-device-and-payee", USUAL, AWAY, AWAY | {"amount": 30}),
    (
        "mule-payee",
        apart(6, "customer_id", 30, **SENT),
        at(0, customer_id="k", **SENT),
        at(0, customer_id="k", **SENT | {"channel": "ecom"}),
    ),
    ("placeholder-id", SHARED, at(0, device_id="unknown-device"), at(0, device_id="d")),
]


def in_force() -> ActivePolicy:
    """The default policy, its lists filled as the stories have it."""
    log = InMemoryEventLog()
    publisher = RulePublisher(log, LANGUAGE, CLEAN, "ann")
    publisher.publish(DEFAULT_FOLDER, "begin")
    for each, text in (
        ("denied_cards", "4111 1111 1111 1111"),
        ("denied_networks", "203.0.113.0/24"),
        ("watched_countries", "PRK"),
        ("sanctioned_names", "Petrov, Ivan"),
        ("trusted_customers", "vip"),
    ):
        of = next(known.of for known in LISTS if known.name == each)
        entries = [ListEntry(key) for key in CLEAN(of, text)]
        change = ChangeList(name=each, of=of, change="add", entries=entries, reason="", by="ann")
        change_list(log, change, 1)
    snapshot = current_policy(log)
    log.close()
    assert snapshot.rules is not None
    rules = LANGUAGE.compile(snapshot.rules.rules, snapshot.rules.lists)
    return ActivePolicy(snapshot, FixedScorer(0.1), rules=rules)


async def held(history: list[Payload], last: Payload, model: bool = True) -> set[str]:
    """The rules that hold for the last payment after the others, shadows among them."""
    policy = in_force()
    if not model:
        policy = replace(policy, scorer=None)
    with deciding_process(InMemoryEventLog(), policy=policy) as context:
        for n, each in enumerate(history):
            await score(context, transaction_id=f"before-{n}", **each)
        applied = (await score(context, transaction_id="last", **last)).data.rules
    names = list(RULES)
    return {names[n] for n in (*applied.fired, *applied.shadow)}


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "history", "fires", "not_"), STORIES)
async def test_a_payload_after_others_fires_a_rule_and_another_one_does_not(
    name: str, history: list[Payload], fires: Payload, not_: Payload
) -> None:
    assert name in await held(history, fires)
    assert name not in await held(history, not_)


@pytest.mark.anyio
async def test_the_holder_who_pays_at_home_after_the_copy_travels_nowhere() -> None:
    copied = [at(90, **PLACE), GONE | at(30)]
    assert "impossible-travel" not in await held(copied, at(0, **PLACE))


@pytest.mark.anyio
async def test_an_outage_of_ours_is_told_and_an_ordinary_payment_fires_nothing() -> None:
    assert {name for name, _, _, _ in STORIES} | {"own-outage"} == RULES.keys()
    assert await held([], at(0), model=False) == {"own-outage"}
    assert await held(USUAL, at(0, **HOME, amount=25)) == set()


def test_no_rule_takes_declines_for_evidence() -> None:
    assert not any("declined" in rule.condition for rule in RULES.values())


def test_it_is_published_as_any_folder() -> None:
    log = InMemoryEventLog()
    publisher = RulePublisher(log, LANGUAGE, CLEAN, "ann")
    assert publisher.publish(DEFAULT_FOLDER, "begin")
    assert not publisher.publish(DEFAULT_FOLDER, "again")
    rules = current_policy(log).rules
    assert rules is not None
    assert len(rules.rules) == len(RULES)
    log.close()
