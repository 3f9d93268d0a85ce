"""Closed loop: the fixed point over columns is what deciding one by one gives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.backtest.feedback import show_closed_loop
from commands.policy.adapters.cel import CelLanguage
from domain.errors import InvalidInputError, UnavailableError
from domain.events import StepUpResult, Thresholds
from domain.features import Entity, FeatureEvent, FeatureSet
from domain.features.declarations.feature import Aggregation, Feature, Field, Filter
from domain.features.declarations.windows import Window
from domain.features.entities import payer_of
from domain.features.events import digest
from domain.features.payments import MATURITIES
from domain.features.reference.naive import reference_vector
from domain.policy.lists.published import NO_LISTS
from domain.policy.thresholds import SEVERITY, outcome
from domain.rule_values import TYPES
from domain.times import HOUR, MINUTE
from domain.transactions import Transaction
from operations.backtest.policies.closed_loop.feedback import Blocking, feedback_of, parse_blocking
from operations.backtest.policies.closed_loop.loop import closed_loop
from operations.backtest.policies.closed_loop.report import report_of
from operations.backtest.policies.deciding import decide
from operations.backtest.policies.figures import Load
from operations.backtest.policies.past import Floats, Past
from operations.backtest.policies.policy import ALWAYS, Policy, Setting
from projections.replay.dataset import dataset
from tests.builders.decisions.whole_past import past_transactions
from tests.builders.feature_streams import T0, Placed, examples
from tests.unit.projections.replay.histories import histories, place, table

LANGUAGE = CelLanguage(TYPES)
LEAST = Thresholds(review=0.25, step_up=0.5, decline=0.75)
POLICY = Policy("tried", ((ALWAYS, Setting("m", LEAST, None, NO_LISTS)),))
EVER = 2**62
PERIOD = T0 + 2 * HOUR, T0 + 8 * HOUR


def feature(
    entity: Entity, aggregation: Aggregation, kept: Filter | None, field: Field | None = None
) -> Feature:
    return Feature(
        name=f"{entity}_{aggregation.name.lower()}_{'all' if kept is None else kept.name.lower()}",
        meaning="of a test",
        aggregation=aggregation,
        entity=entity,
        field=field,
        window=Window("3h", 3 * HOUR, 5 * MINUTE),
        filter=kept,
        cap=4 if aggregation is Aggregation.DISTINCT else None,
    )


FEATURES = FeatureSet(
    [
        feature(Entity.PAYER, Aggregation.COUNT, None),
        feature(Entity.CARD, Aggregation.COUNT, Filter.DECLINED),
        feature(Entity.PAYER, Aggregation.SUM, Filter.APPROVED, Field.AMOUNT),
        feature(Entity.PAYER, Aggregation.COUNT, Filter.STEP_UP_FAILED),
        feature(Entity.MERCHANT, Aggregation.COUNT, Filter.STEP_UP_PASSED),
        feature(Entity.MERCHANT, Aggregation.DISTINCT, Filter.DECLINED, Field.PAYER),
        feature(Entity.PAYER_MERCHANT, Aggregation.SINCE_LAST, Filter.APPROVED),
        feature(Entity.CARD, Aggregation.COUNT, Filter.REMOTE),
    ]
)


def score(values: list[float | None]) -> float:
    """Of anything it makes anything else, so that each change of a feature is felt."""
    total = sum((n + 1) * (0.37 if v is None else v) for n, v in enumerate(values))
    return math.modf(total * 0.618_033_988)[0] % 1.0


def scored(_: str, features: FeatureSet, values: Floats) -> tuple[Floats, bool]:
    rows = values.tolist()
    return np.array([score([None if v != v else v for v in row]) for row in rows]), True


def transaction(event: FeatureEvent) -> Transaction:
    return Transaction(
        transaction_id=event.transaction_id, timestamp=event.time, amount=event.base_amount,
        currency="EUR", base_amount=event.base_amount, card_id=event.card_id,
        customer_id=event.customer_id, merchant_id=event.merchant_id, device_id=event.device_id,
        ip=event.ip, country=event.country, channel=event.channel,
    )  # fmt: skip


def past_of(history: list[Placed]) -> Past:
    made = dataset(
        table(history), FEATURES, as_known_at=EVER, begin=PERIOD[0], end=PERIOD[1],
        maturities=MATURITIES, threads=1,
    )  # fmt: skip
    found = [transaction(each.event) for each in history if each.event.kind == "transaction"]
    return Past(made, past_transactions(found, made), scored, propensities=np.ones(len(made)))


def one_by_one(history: list[Placed], block: Blocking) -> dict[str, tuple[int, bool]]:
    """By id (outcome, whether it was stopped), straight from what the closed loop is to mean."""
    seen: list[FeatureEvent] = []
    labels: dict[str, list[Placed]] = {}
    made: dict[str, tuple[int, bool]] = {}
    for placed in sorted(history, key=place):
        event = placed.event
        if event.kind == "label":
            labels.setdefault(event.transaction_id, []).append(placed)
        elif event.kind == "step_up":
            asked = made.get(event.transaction_id)
            if asked is None or asked == (SEVERITY.index("step_up"), False):
                seen.append(event)
        elif PERIOD[0] <= event.time < PERIOD[1]:
            vector = reference_vector(seen, transaction(event), FEATURES)
            found = outcome(score(vector), LEAST)
            stopped = known_fraud(labels, event, block)
            made[event.transaction_id] = SEVERITY.index(found), stopped
            seen.append(event._replace(outcome=None if stopped else found))
        else:
            seen.append(event)
    return made


def known_fraud(labels: dict[str, list[Placed]], event: FeatureEvent, block: Blocking) -> bool:
    if block == "none":
        return False

    def who(each: FeatureEvent) -> str | None:
        return each.card_id if block == "card" else payer_of(each)

    last = [max(found, key=lambda each: each.offset).event for found in labels.values()]
    return who(event) is not None and any(
        who(each) == who(event) and each.label == 1 for each in last
    )


@st.composite
def chains(draw: st.DrawFn) -> list[Placed]:
    """Payments of few entities in few hours, so that one outcome leads to the next; labels that
    are reversed, and that become known in another order than that of the log."""
    facts: list[FeatureEvent] = []
    for number in range(draw(st.integers(8, 16))):
        time = T0 + (60 + 20 * number) * MINUTE
        name = f"t{number}"
        event = FeatureEvent(
            "transaction", time, digest(name), time, name, time, draw(st.integers(1, 999)),
            draw(st.sampled_from(["card", "card", "other"])), draw(st.sampled_from(["ann", None])),
            draw(st.sampled_from(["shop", "shop", "bar"])),
            outcome=draw(st.sampled_from([None, "approve", "step_up", "decline"])),
        )  # fmt: skip
        facts.append(event)
        if draw(st.integers(0, 2)) == 0:
            ended: StepUpResult = draw(st.sampled_from(["passed", "failed"]))
            asked = event._replace(kind="step_up", order=digest(f"s{number}"), outcome=ended)
            facts.append(asked._replace(known_time=time + draw(st.integers(0, 60)) * MINUTE))
        for each in range(draw(st.sampled_from([0, 0, 0, 1, 2, 3]))):
            known = time + draw(st.integers(1, 60)) * MINUTE
            facts.append(
                event._replace(
                    kind="label",
                    time=known,
                    known_time=known,
                    outcome=None,
                    order=digest(f"l{number}/{each}"),
                    label=draw(st.integers(0, 1)),
                )
            )
    return [Placed(0, offset, event) for offset, event in enumerate(facts)]


@examples(25)
@given(chains() | histories(size=30), st.sampled_from(["card", "payer", "none"]))
def test_the_closed_loop_decides_as_one_by_one(history: list[Placed], block: Blocking) -> None:
    if not history:
        return
    past = past_of(history)
    feedback = feedback_of(table(history), past, PERIOD, EVER, block)
    opened = decide(past, POLICY, LANGUAGE)
    found = closed_loop(past, feedback, opened, POLICY, LANGUAGE, lambda *_: None)
    made = zip(found.decisions.outcomes.tolist(), feedback.stopped.tolist(), strict=True)
    ids = past.made.transaction_ids.tolist()
    assert dict(zip(ids, made, strict=True)) == one_by_one(history, block)
    assert found.rounds <= len(past)
    # The parts of what was put together say the same.
    for part in found.decisions.parts:
        again = part.rulings.outcomes(part.scores, part.thresholds)
        assert again.tolist() == found.decisions.outcomes[part.rows].tolist()
    rows = np.concatenate([each.rows for each in found.decisions.parts] or [np.zeros(0, int)])
    assert sorted(rows.tolist()) == list(range(len(past)))


def test_another_log_than_that_of_the_past_is_refused() -> None:
    history = [paid("a", T0 + 3 * HOUR), paid("b", T0 + 4 * HOUR)]
    past = past_of(history)
    with pytest.raises(UnavailableError):
        feedback_of(table(history[:1]), past, PERIOD, EVER, "card")


def test_who_may_be_blocked_is_named() -> None:
    assert parse_blocking("payer") == "payer"
    with pytest.raises(InvalidInputError):
        parse_blocking("device")


def paid(name: str, time: int, offset: int = 0) -> Placed:
    event = FeatureEvent("transaction", time, 1, time, name, time, 100, "card", "ann", "shop")
    return Placed(0, offset, event)


def test_the_report_shows_both_loops_and_what_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    """Two payments, a label of fraud of the first, and one more of the same card."""
    first, second, third = (paid(n, T0 + h * HOUR, h) for n, h in (("a", 3), ("b", 4), ("c", 6)))
    known = T0 + 5 * HOUR
    fraud = first.event._replace(kind="label", time=known, known_time=known, label=1)
    history = [first, second, third, Placed(0, 9, fraud)]
    past = past_of(history)
    feedback = feedback_of(table(history), past, PERIOD, EVER, "card")
    opened = decide(past, POLICY, LANGUAGE)
    told = report_of(
        past, feedback, "card", [(POLICY, opened), (POLICY, opened)], LANGUAGE, Load(),
        lambda _: None, lambda *_: None,
    )  # fmt: skip
    assert told["stopped"] == {
        "transactions": 1, "frauds": 0, "fraud_money": 0, "genuine": 0, "money": 100,
    }  # fmt: skip
    base, same = told["policies"]
    assert base == same
    assert sum(base["closed"]["decisions"].values()) == sum(base["open"]["decisions"].values()) == 2
    for name, number in base["difference"]["decisions"].items():
        assert number == base["closed"]["decisions"][name] - base["open"]["decisions"][name]
    assert told["compared"][0]["changed"] == 0
    show_closed_loop(told)
    out = capsys.readouterr().out
    assert "1 payments (1) come after a known fraud of its card, are stopped and left out" in out
    assert "0 decisions are others in the closed loop" in out
    assert "tried against tried in the closed loop: 0 decisions change" in out
