"""Features that a candidate declares: laid down with the bits of the reference, each its own."""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.events import TransactionImported, TransactionScored
from domain.features import CATALOGUE, Feature, FeatureSet, Inputs, feature_event
from domain.features.reference.naive import reference_vector
from eventlog.archive.history import History
from operations.backtest.laying.lay_down import Means
from operations.backtest.policies.closed_loop.report import read_feedback, report_of
from operations.backtest.policies.deciding import decide
from operations.backtest.policies.declared import column_of, columns_of
from operations.backtest.policies.figures import Load
from operations.backtest.policies.needed import needed_features
from operations.backtest.policies.past import Past, read_past
from operations.backtest.policies.policy import Policy, candidate, live_past, live_policy
from operations.backtest.policies.sweep import parse_sweep, swept
from tests.builders.decisions.archived_events import fact_of, history_of
from tests.builders.decisions.backtests import (
    BEGIN,
    BUSY,
    COUNT,
    DECLINED,
    END,
    FOLDER,
    SUM,
    asked_of,
    folder_of,
    inputs_of,
    paid,
    scored,
)
from tests.builders.decisions.history import LANGUAGE, DecidedHistory, decided_history
from tests.builders.decisions.whole_past import nothing, nowhere
from tests.builders.feature_streams import Placed, bits, every_kind, examples, logs

FAR = 1 << 60


def tried(history: DecidedHistory, *folders: Path) -> list[Policy]:
    live = live_past(history.log)
    return [candidate(each, live, None) for each in asked_of(*folders).candidates]


def past_of(history: DecidedHistory, *policies: Policy) -> Past:
    needed = needed_features(policies, inputs_of, LANGUAGE)
    return read_past(history.ports.history, BEGIN, END, FAR, (), scored, nothing, nothing, needed)


def by_reference(history: History, features: FeatureSet) -> dict[str, list[bytes | None]]:
    """By transaction the vector of what was known before it, straight from the meaning."""
    facts = sorted(
        ((each.envelope.known_time, each.position, each.envelope) for each in history.counting()),
        key=lambda each: (each[0], each[1].partition, each[1].offset),
    )
    found = {}
    for at, (_, _, fact) in enumerate(facts):
        if isinstance(fact.data, TransactionImported | TransactionScored):
            # Labels of a transaction are in the log's order.
            before = sorted(facts[:at], key=lambda each: (each[1].partition, each[1].offset))
            events = [event for _, _, each in before if (event := feature_event(each))]
            vector = reference_vector(events, fact.data.transaction, features)
            found[fact.subject] = bits(vector)
    return found


@cache
def kinds() -> tuple[Feature, ...]:
    return every_kind().features


@given(logs(size=16), st.integers(0, 12), st.integers(2, 9), st.data())
@examples(12)
def test_what_is_declared_has_the_bits_of_the_reference(
    log: list[Placed], archived: int, at_once: int, data: st.DataObject
) -> None:
    """However the log is cut; of any kind of feature."""
    declared = data.draw(st.lists(st.sampled_from(kinds()), min_size=1, max_size=9, unique=True))
    facts = [fact_of(each.event, number) for number, each in enumerate(log)]
    laid = FeatureSet([CATALOGUE.features[0], *map(column_of, declared)])
    with tempfile.TemporaryDirectory() as folder:
        history = history_of(facts, Path(folder), archived, 2)
        wanted = by_reference(history, FeatureSet([CATALOGUE.features[0], *declared]))
        if wanted:
            means = Means(memory=at_once * 1_500)
            past = read_past(history, 0, FAR, FAR, (), nowhere, nothing, nothing, laid, means)
            rows = zip(past.made.transaction_ids.tolist(), past.made.values.tolist(), strict=True)
            assert {name: bits(vector) for name, vector in rows} == wanted


@given(logs(size=16))
@examples(10)
def test_a_copy_of_a_feature_of_the_catalogue_has_its_values(log: list[Placed]) -> None:
    some = [each for each in CATALOGUE.features if each.entity is not None][::3]
    copies = [column_of(replace(each, name=f"my_{each.name}")) for each in some]
    facts = [fact_of(each.event, number) for number, each in enumerate(log)]
    with tempfile.TemporaryDirectory() as folder:
        history = history_of(facts, Path(folder), 4, 2)
        if by_reference(history, FeatureSet([])):
            laid = FeatureSet([*some, *copies])
            past = read_past(history, 0, FAR, FAR, (), nowhere, nothing, nothing, laid)
            values = np.asarray(past.made.values)
            assert values[:, : len(some)].tobytes() == values[:, len(some) :].tobytes()


async def test_candidates_that_mean_different_things_by_one_name_each_get_their_own(
    tmp_path: Path,
) -> None:
    with decided_history() as history:
        await paid(history)
        by_count, by_sum = tried(
            history, folder_of(tmp_path, "a", BUSY), folder_of(tmp_path, "b", SUM)
        )
        past = past_of(history, by_count, by_sum)
        outcomes = [decide(past, p, LANGUAGE).outcomes.tolist() for p in (by_count, by_sum)]
    declared = [name for name in past.made.features.names if name.startswith("declared_")]
    assert declared == [columns_of(each.features)["mine"] for each in (by_count, by_sum)]
    # From the third payment on by their number, from the fourth by their sum.
    assert outcomes == [[0, 0, 3, 3, 3, 3], [0, 0, 0, 3, 3, 3]]


async def test_what_two_candidates_declare_alike_is_laid_down_once_and_what_none_names_never(
    tmp_path: Path,
) -> None:
    again = BUSY.replace("mine", "ours").replace("payments of the card", "their number")
    again = again.replace("window: 2h", "window: 120m")
    unused = COUNT.replace("count", "sum") + FOLDER
    with decided_history() as history:
        await paid(history)
        policies = tried(
            history,
            *(folder_of(tmp_path, str(n), text) for n, text in enumerate((BUSY, again, unused))),
        )
        live = live_policy(live_past(history.log))
        needed = needed_features([live, *policies], inputs_of, LANGUAGE)
        alone = needed_features([live, policies[2]], inputs_of, LANGUAGE)
        own_set = needed_features(policies, lambda _: Inputs("m", "f", ["a"], []), LANGUAGE)
    column = columns_of(policies[0].features)["mine"]
    assert columns_of(policies[1].features) == {"ours": column}
    assert needed.names == ("amount", "card_count_1h", column)
    assert alone.names == ("amount", "card_count_1h")
    assert own_set.names == (*CATALOGUE.names, column)


async def test_a_model_is_given_the_features_of_the_catalogue_alone(tmp_path: Path) -> None:
    met: list[tuple[FeatureSet, tuple[int, ...]]] = []

    def of_own_set(_: str, features: FeatureSet, values: Any) -> tuple[Any, bool]:
        met.append((features, values.shape))
        return np.zeros(len(values)), True

    with decided_history() as history:
        await paid(history)
        (policy,) = tried(history, folder_of(tmp_path, "a", BUSY))
        needed = needed_features([policy], lambda _: Inputs("m", "f", ["a"], []), LANGUAGE)
        past = read_past(
            history.ports.history, BEGIN, END, FAR, (), of_own_set, nothing, nothing, needed
        )
        decide(past, policy, LANGUAGE)
        past.scores("other", np.array([1, 2]))
    assert [(each.hash, shape) for each, shape in met] == [
        (CATALOGUE.hash, (6, len(CATALOGUE))), (CATALOGUE.hash, (2, len(CATALOGUE))),
    ]  # fmt: skip


async def test_an_unnamed_entity_is_unknown_to_a_condition_even_where_a_default_is_declared(
    tmp_path: Path,
) -> None:
    text = COUNT.replace("mine", "seen").replace("entity: card", "entity: device")
    text += "    default: 0\n" + FOLDER.replace("card_count_1h >= 2.0", "seen < 2.0")
    with decided_history() as history:
        await paid(history)
        await history.pay("d", 100, "2023-10-01T12:30:00Z", card_id="card-1", device_id="phone")
        (policy,) = tried(history, folder_of(tmp_path, "a", text))
        outcomes = decide(past_of(history, policy), policy, LANGUAGE).outcomes.tolist()
    assert outcomes == [0] * 6 + [3]


async def test_a_sweep_moves_a_value_of_a_declared_feature(tmp_path: Path) -> None:
    asked = ("busy.mine=1:5:1", "busy.mine=100:500:100")
    with decided_history() as history:
        await paid(history)
        policies = tried(history, folder_of(tmp_path, "a", BUSY), folder_of(tmp_path, "b", SUM))
        past = past_of(history, *policies)
        flagged = [
            [point["decisions_flagged"] for point in swept(past, policy, sweep, LANGUAGE, nothing)]
            for policy, sweep in zip(policies, map(parse_sweep, asked), strict=True)
        ]
    assert flagged == [[5, 4, 3, 2, 1]] * 2


async def test_a_closed_loop_feeds_a_declared_feature(tmp_path: Path) -> None:
    """It declines one payment for its amount, and those that follow because it declined that."""
    text = DECLINED.replace("mine >= 2.0 && amount > 1.0", "mine >= 1.0 || amount > 300.0")
    with decided_history() as history:
        history.promote(0, 0.5)
        for number, amount in enumerate((100, 400, 100, 100)):
            at = f"2023-10-01T12:0{number}:00Z"
            await history.pay(f"t-{number}", amount, at, card_id="card-1")
        (policy,) = tried(history, folder_of(tmp_path, "a", text))
        live = live_policy(live_past(history.log))
        past = past_of(history, live, policy)
        made = [(each, decide(past, each, LANGUAGE)) for each in (live, policy)]
        feedback = read_feedback(
            history.ports.history, past, (BEGIN, END), FAR, "none", nothing, nothing
        )
        told = report_of(past, feedback, "none", made, LANGUAGE, Load(), nothing, nothing)
    assert told["features"] == ["mine"]
    opened, closed = (told["policies"][1][loop]["decisions"] for loop in ("open", "closed"))
    assert (opened["decline"], closed["decline"]) == (1, 3)
