"""Alerts of backtests: what is silenced, the cases that are left, the routes by which they go."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from commands.policy.routes import publish_routes
from domain.events import Route
from domain.features import FeatureSet
from domain.times import from_rfc3339
from eventlog.topics import TRANSACTIONS
from operations.backtest.policies.deciding import decide
from operations.backtest.policies.delivery import changes_of_routes, delivery_of
from operations.backtest.policies.figures import Load, compared, of_policy
from operations.backtest.policies.past import Floats, Past, read_past
from operations.backtest.policies.policy import candidate, live_past, live_policy, written
from operations.backtest.policies.silenced import cases, told
from operations.backtest.policies.sweep import parse_sweep, swept
from tests.builders.decisions.history import LANGUAGE, DecidedHistory, decided_history
from tests.fakes.events import imported

BEGIN, END = from_rfc3339("2023-10-01T00:00:00Z"), from_rfc3339("2023-10-02T00:00:00Z")
FAR = from_rfc3339("2030-01-01T00:00:00Z")
BUSY = """
rules:
  - {name: busy, code: busy, words: "{card_count_1h} payments", when: card_count_1h >= 2.0,
     action: decline, severity: high, owner: me}
lists: []
"""


def past_of(history: DecidedHistory) -> Past:
    def score(_hash: str, _features: FeatureSet, values: Floats) -> tuple[Floats, bool]:
        return np.full(len(values), 0.25), True

    def nothing(*_: object) -> None:
        return None

    return read_past(history.ports.history, BEGIN, END, FAR, (), score, nothing, nothing)


QUIET = f"""{BUSY}
suppressions:
  - {{name: quiet, customers: [ann], from: 2023-10-01, until: 2023-10-01T12:04:00Z,
     rules: [busy], reason: known, owner: me}}
routes:
  - {{name: desk, to: slack, secret: DESK, severity: high, at_most: 1}}
  - {{name: dear, to: slack, secret: DESK, base_amount_minor: 100000000}}
"""


async def test_alerts_of_a_candidate_are_silenced_by_its_suppressions_and_go_by_its_routes(
    tmp_path: Path,
) -> None:
    (tmp_path / "policy.yaml").write_text(QUIET)
    with decided_history() as history:
        history.promote(0, 0.5)
        for number in range(6):
            at = f"2023-10-01T12:0{number}:00Z"
            who = {"card_id": "card-1", "customer_id": "ann" if number < 4 else "bob"}
            await history.pay(f"t-{number}", 100, at, mcc="5411", channel="ecom", **who)
        live = live_past(history.log)
        policy = candidate(written(tmp_path, LANGUAGE, lambda _, text: [text]), live, None)
        past = past_of(history)
        base, made = decide(past, live_policy(live), LANGUAGE), decide(past, policy, LANGUAGE)
        load, report = of_policy(past, made, Load())["alerts"], compared(past, base, made)
        figures = delivery_of(past, policy, made)
        sweep = parse_sweep("busy.card_count_1h=1:3:1")
        points = swept(past, policy, sweep, LANGUAGE, lambda *_: None)
    # The rule holds from the third payment on, and two of its alerts are silenced.
    assert made.outcomes.tolist() == [0, 0, 3, 3, 3, 3]
    assert (load["total"], load["suppressed"], load["suppressed_by"]) == (2, 2, {"quiet": 2})
    assert (report["changed"], report["alerts"]) == (4, 2)
    assert [each["decisions_flagged"] for each in points] == [5, 4, 3]
    assert [(each["alerts_per_day"], each["cases_per_day"]) for each in points] == [(2, 1)] * 3
    desk, dear = figures["routes"]
    # Known within microseconds of each other: more than one message in a minute.
    assert (desk["alerts"], desk["messages"], desk["digests"], desk["in_digests"]) == (2, 1, 1, 2)
    assert (dear["alerts"], dear["messages"], figures["alerts"]) == (0, 0, 2)


async def test_live_routes_are_those_of_the_time_and_take_all_that_was_before_the_model() -> None:
    def route(name: str) -> Route:
        return Route(name=name, to="slack", secret="DESK")

    with decided_history() as history:
        at = from_rfc3339("2023-10-01T11:00:00Z")
        before = imported("t-0", time=at, known_time=at)
        payment = replace(before.data.transaction, timestamp=at)
        before = replace(before, data=replace(before.data, transaction=payment))
        history.log.append_nowait(TRANSACTIONS, "t-0", before)
        history.promote(0, 0.0)
        for number, names in enumerate((["one"], ["one", "two"], []), 1):
            publish_routes(history.log, list(map(route, names)), "why", history._tick())
            await history.pay(f"t-{number}", 1, f"2023-10-01T12:0{number}:00Z")
        publish_routes(history.log, [route("last")], "why", history._tick())
        policy = live_policy(live_past(history.log))
        past = past_of(history)
        made = decide(past, policy, LANGUAGE)
        figures = delivery_of(past, policy, made)
    found = {each["route"]: each["alerts"] for each in figures["routes"]}
    assert found == {"last": 1, "one": 2, "two": 1}
    there = [route is not None for _, route in changes_of_routes(policy)["two"]]
    assert there == [False, True, False]


async def test_a_payer_is_a_customer_else_a_card_else_the_payment_alone() -> None:
    who = [{"customer_id": "a"}, {"card_id": "a"}, {}, {"customer_id": "a", "card_id": "a"}, {}]
    with decided_history() as history:
        history.promote(0, 0.0)
        for number, named in enumerate(who):
            await history.pay(f"t-{number}", 1, f"2023-10-01T12:0{number}:00Z", **named)
        past = past_of(history)
        made = decide(past, live_policy(live_past(history.log)), LANGUAGE)
        alerts = told(past, made)
    assert alerts.tolist() == [True] * 5
    assert len(cases(past, alerts)) == 4
