"""Generated steps of a history: payments, outages, and changes of models, rules and lists."""

from typing import Any

from hypothesis import strategies as st

from tests.builders.decisions.history import STOLEN, DecidedHistory
from tests.fakes.rules import rule

RULES = [
    rule("busy", "card_count_1h >= 2.0", action="step_up"),
    rule("listed", "lists.stolen", action="decline", words="{lists.stolen} was stolen."),
    rule(
        "dear", "score > 0.3", action="adjust", points=20, words="{score} of {amount}", explore=True
    ),
    rule("half", "amount > 200.0", action="review", share=5000),
    rule("watching", "transaction.country == 'DE'", shadow=True, words="In a country."),
]

CARDS = st.sampled_from(["card-1", "card-2", None])
STEPS = st.one_of(
    st.tuples(st.just("pay"), st.integers(1, 900), CARDS),
    st.tuples(st.just("pay"), st.integers(1, 900), CARDS),
    st.tuples(st.just("away"), st.integers(1, 9000), CARDS),
    st.tuples(st.just("promote"), st.integers(0, 1), st.sampled_from([0.1, 0.5])),
    st.tuples(st.just("roll"), st.integers(0, 1), st.sampled_from([0, 4000, 10_000])),
    st.tuples(st.just("rules"), st.integers(0, 5), st.none()),
    st.tuples(st.just("list"), st.lists(st.sampled_from(["card-1", "card-2"]), unique=True),
              st.none()),
    st.tuples(st.just("label"), st.integers(0, 1), st.none()),
    st.tuples(st.just("thresholds"), st.sampled_from([None, 0.05, 0.4]), st.none()),
    st.tuples(st.just("silence"), st.booleans(), st.sampled_from([None, "listed", "half", "dear"])),
    st.tuples(st.just("explore"), st.sampled_from([0, 5000, 10_000]), st.none()),
)  # fmt: skip


LAGGING_STEPS = st.one_of(
    STEPS,
    st.tuples(st.just("behind"), st.integers(1, 900), CARDS),
    st.tuples(st.just("unaware"), st.integers(0, 1), CARDS),
)
"""Also payments decided by features, or by a policy, that are behind the log."""

_PAYING = ("pay", "away", "behind", "unaware")


async def play(history: DecidedHistory, steps: list[tuple[str, Any, Any]]) -> int:
    """Returns how many decisions were made."""
    paid = 0
    for number, (step, first, second) in enumerate(steps):
        at = f"2023-10-01T12:{number:02}:00Z"
        more = {"country": "DE", **({} if second is None else {"card_id": second})}
        if step == "pay":
            await history.pay(f"t-{paid}", first, at, **more)
        elif step == "behind":
            await history.pay_while_behind(f"t-{paid}", first, at, **more)
        elif step == "unaware":
            with history.unaware():
                history.promote(first, 0.2)
                await history.pay(f"t-{paid}", 300, at, **more)
        elif step == "away":
            await history.pay_while_away(f"t-{paid}", first, at, **more)
        elif step == "promote":
            history.promote(first, second)
        elif step == "roll":
            history.roll_out(first, second)
        elif step == "rules":
            history.publish(RULES[:first], [STOLEN])
        elif step == "thresholds":
            history.set_thresholds(first)
        elif step == "explore":
            history.explore(first)
        elif step == "silence":
            history.silence(["card-1"] if first else [], [second] if second else [])
        elif step == "list":
            history.list_cards(first)
        elif paid:
            history.label(f"t-{paid - 1}", first, "card-1")
        paid += step in _PAYING
    return paid
