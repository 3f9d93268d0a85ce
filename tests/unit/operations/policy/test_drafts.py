"""Drafts and positions: what is proposed decides nothing, what was in force comes back whole."""

import re
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from commands.intake.tokens import Tokeniser
from commands.policy.adapters.cel import CelLanguage
from commands.policy.drafts import MOST_BYTES
from commands.policy.topic import current_policy
from domain.cleaning.list_keys import list_keys
from domain.errors import InvalidInputError, NotFoundError
from domain.policy.exploration import Arm
from domain.rule_values import TYPES
from eventlog.in_memory import InMemoryEventLog
from operations.policy.publishing import RulePublisher

CLEAN = partial(list_keys, tokenise=Tokeniser(bytes(16)))
POLICY = """\
rules:
  - {name: stolen, code: stolen, words: It is., when: lists.stolen, action: decline,
     severity: high, owner: ann}
lists:
  - {name: stolen, of: card, purpose: deny, owner: ann, file: stolen.csv}
thresholds: {review: 0.4, step_up: 0.7, decline: 0.9}
routes:
  - {name: desk, to: slack, secret: DESK}
suppressions:
  - {name: test, rules: [stolen], from: 2026-01-31, until: 2026-02-01, reason: a test, owner: ann}
"""


@pytest.fixture
def publisher() -> Iterator[RulePublisher]:
    with closing(InMemoryEventLog()) as log:
        yield RulePublisher(log, CelLanguage(TYPES), CLEAN, "ann")


def write(folder: Path, text: str = POLICY, cards: str = "4111111111111111") -> Path:
    (folder / "policy.yaml").write_text(text)
    (folder / "stolen.csv").write_text(f"value\n{cards}\n")
    return folder


def test_a_draft_decides_nothing_and_is_published_whole(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    position = publisher.draft(write(tmp_path), "first", "look")
    before = current_policy(publisher.log)
    assert (before.rules, before.published, before.routes, before.suppressions) == (
        None,
        None,
        (),
        (),
    )
    assert publisher.draft(tmp_path, "first", "look") == position
    (draft,) = publisher.drafts()
    assert (draft.fact.name, draft.fact.by, draft.fact.reason) == ("first", "ann", "look")
    # The log holds no card number, also not of a policy that nobody publishes.
    assert "4111" not in str(draft.fact)
    changes = publisher.diff("first")
    assert [each.name for each in changes] == [
        "stolen",
        "stolen",
        "thresholds",
        "desk",
        "test",
        "stolen",
    ]
    write(tmp_path, "rules: []\n", "4000000000000002")
    done = publisher.publish("first", "go")
    assert done == ["lists", "rules", "thresholds", "routes", "suppressions"]
    assert publisher.publish("first", "again") == []
    assert publisher.diff("first") == []
    after = current_policy(publisher.log)
    (token,) = CLEAN("card", "4111111111111111")
    assert after.lists.in_force["stolen"].match(token, 0).value
    assert [each.name for each in after.suppressions] == ["test"]


def test_the_last_draft_of_a_name_counts_and_the_newest_is_last(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    publisher.draft(write(tmp_path, "routes: []\n"), "a", "")
    publisher.draft(write(tmp_path, "suppressions: []\n"), "b", "")
    publisher.draft(write(tmp_path, "thresholds: {}\n"), "a", "")
    assert [(each.fact.name, each.fact.content.keys) for each in publisher.drafts()] == [
        ("b", ["suppressions"]),
        ("a", ["thresholds"]),
    ]


def test_what_cannot_be_drafted_is_refused_with_words(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    with pytest.raises(NotFoundError):
        publisher.publish("none", "")
    with pytest.raises(InvalidInputError, match="expected a-z"):
        publisher.draft(write(tmp_path), "My draft", "")
    with pytest.raises(InvalidInputError, match=r"policy\.yaml:2:"):
        publisher.draft(write(tmp_path, POLICY.replace("lists.stolen", "lists.stole")), "a", "")
    many = "\n".join(f"{number:014}" for number in range(MOST_BYTES // 20))
    with pytest.raises(InvalidInputError, match="import long lists by themselves"):
        publisher.draft(write(tmp_path, cards=many), "a", "")
    assert current_policy(publisher.log).version == -1


def test_all_sets_come_back_as_they_were_at_a_position(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    publisher.publish(write(tmp_path, "routes:\n  - {name: desk, to: slack, secret: A}\n"), "")
    early = current_policy(publisher.log)
    publisher.publish(write(tmp_path), "")
    late = current_policy(publisher.log)
    assert publisher.publish_at(early.version, "too much") == [
        "rules", "thresholds", "routes", "suppressions"
    ]  # fmt: skip
    now = current_policy(publisher.log)
    assert (now.rules, now.published, now.routes, now.suppressions) == (
        None,
        None,
        early.routes,
        (),
    )
    assert now.lists == late.lists
    assert publisher.publish_at(late.version, "after all") == [
        "rules", "thresholds", "routes", "suppressions"
    ]  # fmt: skip
    again = current_policy(publisher.log)
    assert again.rules is not None
    assert late.rules is not None
    assert again.rules.rules == late.rules.rules
    assert (again.published, again.suppressions) == (late.published, late.suppressions)
    assert publisher.publish_at(again.version, "so it is") == []
    for beyond in (-1, again.version + 1):
        with pytest.raises(NotFoundError):
            publisher.publish_at(beyond, "")


def test_exploration_is_published_beside_the_thresholds_and_ended_by_name(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    def explored() -> Arm | None:
        return current_policy(publisher.log).exploration

    assert publisher.publish(write(tmp_path, "exploration: {share: 0.5%}\n"), "") == ["exploration"]
    first = explored()
    assert first is not None
    assert first.share == 50
    assert publisher.publish(tmp_path, "again") == []
    write(tmp_path, "exploration: {share: 1%}\n")
    (change,) = publisher.diff(tmp_path)
    assert (change.name, change.kind, change.fields) == (
        "exploration", "changed", {"share": (50, 100)},
    )  # fmt: skip
    publisher.publish(tmp_path, "more")
    # Who passed at the smaller share passes still.
    assert explored() == Arm(100, first.salt)
    publisher.publish(write(tmp_path, "exploration: {}\n"), "enough")
    assert explored() is None
    publisher.publish_at(0, "as at first")
    assert explored() == first
    assert publisher.publish(write(tmp_path, "thresholds: {}\n"), "says nothing of it") == []
    assert explored() == first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exploration: {share: 5}\n", "policy.yaml:1:22: share: expected 0% to 100%"),
        ("exploration: {part: 5%}\n", "policy.yaml:1:15: part is none of share"),
        ("exploration: 5%\n", "policy.yaml:1:1: expected the keys rules"),
        (POLICY.replace("high,", "high, explore: 1,"), "policy.yaml:3:31: expected true or false"),
    ],
)
def test_what_cannot_be_explored_is_refused_with_words(
    tmp_path: Path, publisher: RulePublisher, text: str, said: str
) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(said)):
        publisher.publish(write(tmp_path, text), "")
    assert current_policy(publisher.log).version == -1
