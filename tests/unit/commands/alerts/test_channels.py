"""Channels: each receiver's published contract takes what we send, and failures are told apart."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import get_args

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from commands.alerts.channels import post_of
from commands.alerts.message import Message, Raised, of_alert, of_digest, of_trial
from commands.alerts.sending import Answer, Sender, receiver_of
from domain.alerts import alert_of
from domain.events import AlertRaised, Envelope, ModelAlertRaised, Route, RouteKind
from domain.model_alerts import model_alert
from host.clock import now_us
from tests.builders.alerts.contracts import CONTRACTS, PATHS, SECRETS
from tests.builders.alerts.receivers import Receiver, receiving
from tests.fakes.events import NOW, scored

KINDS = [kind for kind in get_args(RouteKind) if kind != "email"]


def raised(transaction_id: str, **fields: object) -> Envelope:
    found = alert_of(scored(transaction_id, outcome="decline"), "tests", NOW)
    assert found is not None
    return replace(found, data=replace(found.data, **fields))


def message(key: str = "k-1") -> Message:
    return of_alert(raised("t-1"), "high", key)


@asynccontextmanager
async def sender(receiver: Receiver, patience: float = 5.0) -> AsyncIterator[Sender]:
    async with httpx.AsyncClient(timeout=patience) as client:
        yield Sender(client, receiver.secrets, now_us)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_receiver_takes_alerts_digests_and_tests(kind: RouteKind) -> None:
    model = ModelAlertRaised(
        alert_id="a-1", model_id="m-1", model_hash="h", measure="scores", value=0.4, limit=0.25,
        summary="scores drifted", features=[], since=0, until=NOW,
    )  # fmt: skip
    many: list[Raised] = [(raised(f"t-{n}", merchant_id=f"m-{n % 7}"), "medium") for n in range(40)]
    drift = model_alert(model, "tests", NOW)
    sent = [
        message(),
        of_alert(drift, "high", "a-1"),
        of_digest([*many, (drift, "high")], "d-1"),
        of_trial("r", NOW),
    ]
    with receiving(kind) as receiver:
        async with sender(receiver) as out:
            answers = [await out.send(receiver.route(), each) for each in sent]
    assert receiver.refused == []
    assert [each.taken for each in answers] == [True] * 4
    assert len(receiver.bodies) == 4


@pytest.mark.parametrize("kind", KINDS)
async def test_a_repeat_under_one_key_is_one_message_where_there_are_keys(kind: RouteKind) -> None:
    with receiving(kind) as receiver:
        receiver.trouble = ["lost"]
        async with sender(receiver) as out:
            assert not (await out.send(receiver.route(), message())).taken
            assert (await out.send(receiver.route(), message())).taken
        assert len(receiver.bodies) == (2 if kind in ("slack", "teams") else 1)


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=600)


@settings(deadline=None, max_examples=60)
@given(
    transaction_id=texts,
    merchant=st.none() | texts,
    told=texts,
    amount=st.integers(0, 10**12),
    severity=st.sampled_from(["low", "medium", "high", "critical"]),
)
@example("t" * 2000, "m" * 2000, "w" * 9000, 1, "high")
def test_whatever_ids_hold_every_contract_takes_the_request(
    transaction_id: str, merchant: str | None, told: str, amount: int, severity: str
) -> None:
    alert = raised(
        transaction_id, merchant_id=merchant, customer_id=merchant, card_id=merchant,
        amount=amount, reasons=["policy.x"] * 5, told={"policy.x": told},
    )  # fmt: skip
    made = of_alert(alert, severity, alert.id)  # type: ignore[arg-type]
    for kind in KINDS:
        secret_url = f"http://h{PATHS[kind]}"
        secret = "" if kind == "alertmanager" else SECRETS.get(kind, secret_url)
        post = post_of(Route(name="r", to=kind, url=secret_url), made, secret, now_us())
        headers = {name.lower(): value for name, value in post.headers.items()}
        CONTRACTS[kind](httpx.URL(post.url).path, headers, post.body)
        httpx.Request("POST", post.url, headers=post.headers)


def test_an_id_from_outside_mentions_nobody_in_slack() -> None:
    made = of_alert(raised("<!channel> & <http://h|b>"), "high", "k")
    post = post_of(Route(name="s", to="slack"), made, "http://h/", NOW)
    assert b"<" not in post.body
    assert b"&lt;!channel&gt; &amp; " in post.body


def test_two_long_keys_stay_two_keys() -> None:
    route = Route(name="p", to="pagerduty")
    one, other = (post_of(route, message("k" * 400 + each), "", NOW).body for each in "ab")
    assert json.loads(one)["dedup_key"] != json.loads(other)["dedup_key"]


async def test_failures_are_told_apart() -> None:
    with receiving("pagerduty") as receiver:
        receiver.trouble = [500, (429, "17"), (503, "Wed, 21 Oct 2015 07:28:00 GMT"), 400, "cut"]
        route = receiver.route()
        async with sender(receiver) as out:
            got = [await out.send(route, message()) for _ in range(5)]
    assert got[:4] == [
        Answer(False, "answered 500"),
        Answer(False, "answered 429", 17.0),
        Answer(False, "answered 503", 0.0),
        Answer(False, "answered 400", refused=True),
    ]
    assert (got[4].taken, got[4].refused) == (False, False)


async def test_a_receiver_that_says_nothing_is_given_up_in_time() -> None:
    with receiving("webhook") as receiver:
        receiver.trouble = ["silent"]
        async with sender(receiver, patience=0.2) as out:
            assert await out.send(receiver.route(), message()) == Answer(False, "ReadTimeout")


async def test_secrets_are_named_by_the_route_and_never_told() -> None:
    route = Route(name="s", to="slack", secret="OTHER")
    async with httpx.AsyncClient() as client:
        missing = await Sender(client, {}, now_us).send(route, message())
        wrong = await Sender(client, {"OTHER": "http://[half"}, now_us).send(route, message())
    assert missing.outcome == "RETRACE_SECRET_OTHER is not set"
    assert not wrong.taken
    assert "half" not in wrong.outcome
    assert receiver_of(route) == "slack"
    assert receiver_of(Route(name="p", to="pagerduty")) == "events.pagerduty.com"


async def test_a_webhook_without_a_secret_is_posted_unsigned_and_two_secrets_both_sign() -> None:
    post = post_of(Route(name="w", to="webhook", url="http://h/"), message(), "", NOW)
    assert "webhook-signature" not in post.headers
    assert post.headers["Idempotency-Key"] == "k-1"
    both = f"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA {SECRETS['webhook']}"
    post = post_of(Route(name="w", to="webhook", url="http://h/"), message(), both, now_us())
    CONTRACTS["webhook"]("/", post.headers, post.body)


def test_the_signature_is_that_of_the_specification() -> None:
    """Base64 of HMAC-SHA256 over id, time and body with full stops between."""
    import base64
    import hmac

    post = post_of(Route(name="w", to="webhook", url="http://h/"), message(), "whsec_c2VjcmV0", NOW)
    signed = f"{post.headers['webhook-id']}.{NOW // 10**6}.".encode() + post.body
    expected = base64.b64encode(hmac.new(b"secret", signed, "sha256").digest()).decode()
    assert post.headers["webhook-signature"] == f"v1,{expected}"


def test_a_digest_counts_by_outcome_currency_and_severity() -> None:
    found: list[Raised] = [
        (raised("a", merchant_id="m-1", amount=100), "low"),
        (raised("b", merchant_id="m-1", amount=250), "critical"),
        (raised("c", merchant_id="m-2", outcome="review"), "low"),
    ]
    made = of_digest(found, "k")
    assert made.severity == "critical"
    assert made.title == "3 alerts at once: 2 declined, 1 to review"
    assert made.body["outcomes"] == {"decline": 2, "review": 1}
    assert made.body["merchants"] == {"m-1": 2, "m-2": 1}
    first: AlertRaised = found[2][0].data
    assert made.body["amounts_minor"] == {"EUR": 350 + first.amount}
    assert made.facts["severities"] == "2 low, 1 critical"
