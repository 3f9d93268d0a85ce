"""Sets that are published together come into force at one position of the log."""

from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.policy.adapters.cel import CelLanguage
from commands.policy.topic import facts
from domain.errors import InvalidInputError
from domain.events import PolicyPublished
from domain.policy.snapshot import NO_POLICY, PolicySnapshot
from domain.rule_values import TYPES
from eventlog.in_memory import InMemoryEventLog
from operations.policy import together
from operations.policy.publishing import RulePublisher

LANGUAGE = CelLanguage(TYPES)
SETS = {
    "rules": "rules:\n  - {name: dear, code: dear, words: It is., when: amount > %d.0,"
    " action: decline, severity: high, owner: ann}\n",
    "thresholds": "thresholds: {review: 0.%d, step_up: 0.8, decline: 0.9}\n",
    "exploration": "exploration: {share: 0.%d%%}\n",
    "routes": "routes:\n  - {name: desk, to: slack, secret: DESK_%d}\n",
    "suppressions": "suppressions:\n  - {name: test, merchants: [m-%d], from: 2026-01-31,"
    " until: 2026-02-01, reason: a test, owner: ann}\n",
}


def states(log: InMemoryEventLog) -> list[PolicySnapshot]:
    """After each position."""
    found = [NO_POLICY]
    for offset, fact in facts(log):
        found.append(found[-1].apply(fact.data, offset))
    return found


def said(policy: PolicySnapshot) -> tuple[object, ...]:
    """Without versions: what is in force."""
    rules = policy.rules.rules if policy.rules else ()
    arm = policy.exploration.share if policy.exploration else 0
    routes = tuple(each.secret for each in policy.routes)
    return rules, policy.published, arm, routes, policy.suppressions


def written(folder: Path, kinds: dict[str, int]) -> Path:
    text = "".join(SETS[kind] % value for kind, value in sorted(kinds.items()))
    (folder / "policy.yaml").write_text(text)
    return folder


@given(
    st.lists(
        st.dictionaries(st.sampled_from(sorted(SETS)), st.integers(1, 4), min_size=1),
        min_size=1,
        max_size=5,
    )
)
def test_each_publication_takes_one_position_and_so_does_the_way_back(
    tmp_path_factory: pytest.TempPathFactory, folders: list[dict[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("policy")
    with closing(InMemoryEventLog()) as log:
        publisher = RulePublisher(log, LANGUAGE, lambda _, text: [text], "ann")
        seen = [said(NO_POLICY)]
        for kinds in folders:
            changed = publisher.publish(written(folder, kinds), "why")
            if changed:
                seen.append(said(states(log)[-1]))
        assert [said(each) for each in states(log)] == seen
        for position in range(len(seen) - 1):
            before = len(states(log))
            changed = publisher.publish_at(position, "back")
            after = states(log)
            assert said(after[-1]) == seen[position + 1]
            assert len(after) - before == bool(changed)


def test_the_sets_of_a_position_come_back_together(tmp_path: Path) -> None:
    with closing(InMemoryEventLog()) as log:
        publisher = RulePublisher(log, LANGUAGE, lambda _, text: [text], "ann")
        publisher.publish(written(tmp_path, {"rules": 1, "thresholds": 1, "routes": 1}), "first")
        publisher.publish(written(tmp_path, {"rules": 2, "thresholds": 2}), "second")
        assert publisher.take_back(0, "back") == ["rules", "thresholds"]
        first, _, now = states(log)[1:]
        assert said(now) == said(first)
        (_, last) = list(facts(log))[-1]
        assert isinstance(last.data, PolicyPublished)
        assert {each.took_back for each in last.data.sets()} == {0}


def test_more_than_a_record_holds_is_refused_whole(tmp_path: Path) -> None:
    with closing(InMemoryEventLog()) as log:
        publisher = RulePublisher(log, LANGUAGE, lambda _, text: [text], "ann")
        folder = written(tmp_path, {"rules": 1, "thresholds": 1})
        with (
            patch.object(together, "MOST_BYTES", 100),
            pytest.raises(InvalidInputError, match="one by one"),
        ):
            publisher.publish(folder, "why")
        assert list(facts(log)) == []
