"""Figures of rules and of the business, against sums made straight from the log."""

from dataclasses import asdict, replace

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from commands.policy.rules import publish_rules, rule_sets
from domain.alerts import alert_of
from domain.events import Envelope, RulesApplied
from domain.times import DAY, HOUR
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import ALERTS
from projections.readmodels.adapters.postgres import alerts_projection, transactions_projection
from projections.readmodels.queries.figures import Figures, figures_by
from projections.readmodels.queries.read_models import ReadModels, forget
from projections.readmodels.queries.results import AlertFilter, DecisionFilter
from projections.readmodels.queries.rule_statistics import rule_statistics
from projections.readmodels.queries.tallies import Window
from tests.builders.api_bench import running
from tests.builders.read_model_facts import (
    NOON,
    CheckedLog,
    batches,
    labelled,
    project_all,
    scored,
    stepped_up,
    submitted,
    transaction,
)
from tests.fakes.deciding import NOW as THEN
from tests.integration.readmodels.figures.by_definition import (
    OUTCOMES,
    SETS,
    applied,
    decided,
    grouped,
    naive,
    naive_rule,
    of_day,
)

X = transaction("a")
REPORTED, REVERSED = [labelled("a", 1, NOON + DAY)], [labelled("a", 0, NOON + 40 * DAY, "r2")]
ALL = Window(0, NOON + 999 * DAY, NOON + 999 * DAY)


def _of_set(version: int) -> st.SearchStrategy[RulesApplied]:
    truths = st.text("+s?-", min_size=len(SETS[version]), max_size=len(SETS[version]))
    return truths.map(lambda each: applied(version, each))


_applied = st.one_of(st.none(), *map(_of_set, SETS))
_keys = st.sampled_from("abc")
_hours = st.integers(0, 60).map(lambda hours: hours * HOUR)


@st.composite
def _decided(draw: st.DrawFn) -> list[Envelope]:
    """A payment and its decision; of one id always of one time, as its content asks."""
    key = draw(_keys)
    x = transaction(
        key,
        NOON + "abc".index(key) * 20 * HOUR,
        base_amount=draw(st.integers(0, 10**12)),
        merchant_id=draw(st.sampled_from([None, "m1", "m2"])),
    )
    made = scored(
        x,
        draw(st.sampled_from(OUTCOMES)),
        known=x.timestamp + draw(_hours),
        model_id=draw(st.sampled_from(["m1", "rules-only"])),
        rules=draw(_applied),
    )
    return [submitted(x), made]


_labels = st.builds(
    lambda key, value, known, reference: [labelled(key, value, known, reference)],
    _keys,
    st.sampled_from([0, 1]),
    st.sampled_from([0, 6, 8, 30, 31, 60, 61, 91]).map(lambda days: NOON + days * DAY),
    st.sampled_from(["r1", "r2", "r3"]),
)


_step_ups = st.builds(
    lambda key, result, known: [stepped_up(key, result, known)],
    _keys,
    st.sampled_from(["passed", "failed", "abandoned"]),
    st.sampled_from([1, 40]).map(lambda days: NOON + days * DAY),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    facts=st.lists(st.one_of(_decided(), _labels, _step_ups), max_size=20),
    size=st.integers(1, 8),
    repeated=st.integers(0, 4),
    since=st.integers(0, 3),
    days=st.integers(0, 99),
)
@example([[submitted(X), scored(X)], REPORTED, REVERSED], 2, 1, 0, 99)
@example([[submitted(X), scored(X, "step_up")], [stepped_up("a", "passed")], REPORTED], 9, 1, 0, 99)
@example([[submitted(X), scored(X)], REVERSED, REPORTED], 2, 1, 0, 99)
@example(
    [[submitted(X), scored(X, rules=applied(5, "?s?"))], [stepped_up("a", "passed")]], 1, 0, 0, 9
)
def test_figures_are_what_the_log_gives(
    engine: Engine, facts: list[list[Envelope]], size: int, repeated: int, since: int, days: int
) -> None:
    forget(engine)
    log = CheckedLog()
    for each in facts:
        log.append(*each)
    projection = transactions_projection(engine)
    for partition, records in log.records.items():
        for batch in batches(records, size):
            projection.assign(partition)
            first = batch[0].position.offset
            projection.project({partition: records[max(0, first - repeated) : first + len(batch)]})
    window = Window(NOON + since * DAY - HOUR, NOON + 3 * DAY, NOON + days * DAY + HOUR)
    chosen = list(decided(log, window))

    for by, key in (
        ("day", of_day),
        ("merchant", lambda each: each.fact.data.transaction.merchant_id),
        ("model", lambda each: each.fact.data.model_id),
    ):
        found = {name: asdict(each) for name, each in figures_by(engine, window, by)}  # type: ignore[arg-type]
        groups = grouped(chosen, key)
        assert found == {name: naive(those, window.now) for name, those in groups.items()}

    for daily in (False, True):
        statistics = rule_statistics(engine, window, SETS, daily=daily)
        kept = {(each.version, each.rule.name, each.day): asdict(each) for each in statistics}
        assert len(kept) == len(statistics)
        expected = {
            (version, each.name, day): naive_rule(those, version, number, window.now)
            for day, those in grouped(chosen, of_day if daily else lambda _: None).items()
            for version in {d.fact.data.rules.version for d in those if d.fact.data.rules}
            for number, each in enumerate(SETS[version])
        }
        for row in kept.values():
            for name in ("version", "rule", "day"):
                del row[name]
        assert kept == expected


def test_a_rule_shows_each_stage_of_its_roll_out(engine: Engine) -> None:
    log = CheckedLog()
    for key, version, truths, outcome in (
        ("p", 5, "s-?", "approve"),
        ("q", 5, "s+-", "decline"),
        ("r", 9, "-s", "approve"),
        ("s", 9, "-+", "decline"),
    ):
        x = transaction(key)
        log.append(submitted(x), scored(x, outcome, rules=applied(version, truths)))  # type: ignore[arg-type]
    log.append(labelled("p", 1, NOON + DAY), labelled("q", 0, NOON + DAY))
    project_all(transactions_projection(engine), log)
    shadow, rolled_out = rule_statistics(engine, ALL, SETS, name="a")
    assert (shadow.rule.shadow, rolled_out.rule.share) == (True, 1_000)
    assert (shadow.acted.decisions, shadow.shadow.decisions, shadow.together) == (0, 2, {"b": 1})
    assert (rolled_out.acted.decisions, rolled_out.shadow.decisions) == (1, 1)
    assert shadow.shadow.rates.precision == 0.5
    # It would have declined a fraud that was approved; the other payment was declined already.
    assert shadow.instead is not None
    assert (shadow.instead.missed, shadow.instead.missed_base_amount_minor) == (1, 1150)
    assert shadow.instead.declined_genuine == 0
    never = rule_statistics(engine, ALL, SETS, name="c")
    assert [(each.not_evaluable, each.acted) for each in never] == [(1, Figures())]


def test_reasons_of_rules_keep_their_words_in_rows(engine: Engine) -> None:
    words = {"policy.big": "The amount is {amount}."}
    made = scored(X, rules=applied(5, "+-?", words=words, values={"amount": 12.5}))
    alert = alert_of(replace(made, data=replace(made.data, outcome="review")), "tests", NOON)
    assert alert is not None
    plain = transaction("plain")
    log, alerts = CheckedLog(), CheckedLog(ALERTS.name)
    log.append(submitted(X), made, submitted(plain), scored(plain))
    alerts.append(alert)
    project_all(transactions_projection(engine), log)
    project_all(alerts_projection(engine), alerts)
    read = ReadModels(engine)
    said = {"policy.big": "The amount is 12.50."}
    kept = {each.transaction_id: each for each in read.decisions(DecisionFilter()).items}
    assert kept["a"].rule_words == said
    assert (kept["a"].rules_version, kept["a"].rules_fired) == (5, [0])
    assert (kept["a"].rules_shadow, kept["a"].rules_not_evaluable) == ([], "2")
    assert (kept["plain"].rules_version, kept["plain"].rule_words) == (None, None)
    assert [each.rule_words for each in read.alerts_for(AlertFilter()).items] == [said]


async def test_the_api_names_the_rules_of_each_set(engine: Engine) -> None:
    policy = InMemoryEventLog()
    publish_rules(policy, SETS[5], "f", "first", NOON)
    [version] = rule_sets(policy)
    log = CheckedLog()
    x = transaction("a", THEN - 40 * DAY)
    log.append(submitted(x), scored(x, "review", rules=applied(version, "s+?")))
    project_all(transactions_projection(engine), log)
    bounds = {"since": "2023-08-22T00:00:00Z", "until": "2023-08-23T00:00:00Z"}
    async with running(policy, read_models=ReadModels(engine)) as api:
        found = (await api.get("/policy/statistics", daily=True, **bounds)).json()
        rows = {each["rule"]: each for each in found["items"]}
        assert {name: each["not_evaluable"] for name, each in rows.items()} == {
            "a": 0,
            "b": 0,
            "c": 1,
        }
        assert (rows["a"]["in_shadow"], rows["a"]["day"]) == (True, "2023-08-22")
        assert rows["a"]["shadow"]["rates"]["review_rate"] == 1.0
        assert rows["b"]["together"] == [{"rule": "a", "hits": 1}]
        one = (await api.get("/policy/statistics", rule="b", **bounds)).json()["items"]
        assert [each["rule"] for each in one] == ["b"]
        keys = {
            by: [row["key"] for row in (await api.get("/figures", by=by, **bounds)).json()["items"]]
            for by in ("day", "merchant", "model", "rule")
        }
        expected = {"day": ["2023-08-22"], "merchant": ["kiosk"], "model": ["m1"], "rule": ["b"]}
        assert keys == expected
        # The last 30 days unless told: this was 40 days ago.
        assert (await api.get("/figures")).json()["items"] == []
