"""Thresholds and suppressions from files to the log: faults with their place, and versions."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from commands.intake.tokens import Tokeniser
from commands.policy.adapters.cel import CelLanguage
from commands.policy.topic import current_policy
from domain.cleaning.list_keys import list_keys
from domain.errors import InvalidInputError, NotFoundError
from domain.events import Thresholds
from domain.rule_values import TYPES
from domain.times import from_rfc3339
from eventlog.in_memory import InMemoryEventLog
from operations.policy.publishing import RulePublisher, lint
from operations.policy.sets import summary

LANGUAGE = CelLanguage(TYPES)
CLEAN = partial(list_keys, tokenise=Tokeniser(bytes(16)))
TEXT = """\
rules: []
thresholds:
  review: 0.4
  step_up: 0.7
  decline: 0.9
suppressions:
  - name: load-test
    merchants: [m-1, m-2]
    cards: ["4111 1111 1111 1111"]
    from: 2026-01-31
    until: 2026-02-02T06:00:00Z
    reason: load test of the shop
    owner: ann
"""
LOW = Thresholds(review=0.4, step_up=0.7, decline=0.9)


@pytest.fixture
def publisher() -> Iterator[RulePublisher]:
    with closing(InMemoryEventLog()) as log:
        yield RulePublisher(log, LANGUAGE, CLEAN, "ann")


def write(folder: Path, text: str = TEXT) -> Path:
    (folder / "p.yaml").write_text(text)
    return folder


def test_they_are_read_and_card_numbers_become_tokens(tmp_path: Path) -> None:
    found = lint(write(tmp_path), LANGUAGE, CLEAN)
    assert found.faults == []
    content = found.content
    assert content.thresholds == LOW
    (made,) = content.suppressions
    assert made.begins == from_rfc3339("2026-01-31T00:00:00Z")
    assert made.until == from_rfc3339("2026-02-02T06:00:00Z")
    assert (made.merchants, made.cards) == (["m-1", "m-2"], CLEAN("card", "4111111111111111"))
    assert "4111" not in str(made.cards)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("review: 0.4", "review: 0.8", "p.yaml:4:12: expected a score from review (0.8) to 1"),
        ("review: 0.4", "review: nan", "p.yaml:3:11: expected a score"),
        ("review: 0.4", "review: low", "p.yaml:3:11: expected a score from 0 to 1 for review"),
        ("review: 0.4", "revue: 0.4", "p.yaml:3:3: revue is none of review, step_up, decline"),
        ("  step_up: 0.7\n", "", "p.yaml:3:3: thresholds have no step_up"),
        ("  review: 0.4", "  decline: 1\n  review: 0.4", "p.yaml:6:3: decline is given twice"),
        ("name: load-test", "name: Load test", "p.yaml:7:11: name expected a-z"),
        ("[m-1, m-2]", "m-1", "p.yaml:8:16: expected a list for merchants"),
        ('"4111 1111 1111 1111"', '" "', "p.yaml:9:14: is empty"),
        ("from: 2026-01-31", "from: yesterday", "p.yaml:10:11: expected a date or time"),
        ("2026-02-02T06:00:00Z", "2026-01-31", "p.yaml:11:12: until is not after from"),
        ("2026-02-02T06:00:00Z", "2027-02-02", "p.yaml:11:12: until is over a year after from"),
        ("    until: 2026-02-02T06:00:00Z\n", "", "p.yaml:7:5: the suppression has no until"),
        ("    owner: ann\n", "", "p.yaml:7:5: the suppression has no owner"),
        ("owner: ann", "owners: ann", "p.yaml:13:5: owners is none of name, from"),
        ("merchants: [m-1, m-2]", "rules: [velocity]", "p.yaml:8:13: velocity is no rule"),
    ],
)
def test_a_fault_is_named_with_file_line_and_column(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    found = lint(write(tmp_path, TEXT.replace(before, after, 1)), LANGUAGE, CLEAN)
    faults = [str(each).removeprefix(f"{tmp_path}/") for each in found.faults]
    assert any(each.startswith(said) for each in faults), faults


def test_two_files_cannot_both_give_thresholds(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "q.yaml").write_text("thresholds: {}\n")
    (fault,) = lint(tmp_path, LANGUAGE, CLEAN).faults
    assert str(fault).startswith(f"{tmp_path}/q.yaml:1:13: thresholds are given at")


def test_they_are_published_compared_and_taken_back(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    write(tmp_path)
    assert [(each.kind, each.name) for each in publisher.diff(tmp_path)] == [
        ("added", "thresholds"),
        ("added", "load-test"),
    ]
    assert publisher.publish(tmp_path, "first") == ["thresholds", "suppressions"]
    assert publisher.publish(tmp_path, "again") == []
    first = current_policy(publisher.log)
    assert first.thresholds_for("full") == LOW
    write(tmp_path, "thresholds: {review: 0.5, step_up: 0.7, decline: 0.9}\nsuppressions: []\n")
    (change, gone) = publisher.diff(tmp_path)
    assert (change.kind, change.fields) == ("changed", {"review": (0.4, 0.5)})
    assert (gone.kind, gone.name) == ("removed", "load-test")
    assert publisher.publish(tmp_path, "second") == ["thresholds", "suppressions"]
    assert current_policy(publisher.log).suppressions == ()
    early = publisher.sets()["thresholds"][0].version
    assert publisher.take_back(early, "back") == ["thresholds", "suppressions"]
    now = current_policy(publisher.log)
    assert (now.published, now.suppressions) == (first.published, first.suppressions)
    told = summary(publisher.sets()["suppressions"][-1])
    assert (told["suppressions"], told["took_back"]) == (1, early)
    with pytest.raises(NotFoundError):
        publisher.take_back(99, "")


def test_withdrawn_thresholds_leave_those_of_the_model(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    before = current_policy(publisher.log).thresholds_for("full")
    publisher.publish(write(tmp_path), "")
    write(tmp_path, "thresholds: {}\n")
    assert [each.kind for each in publisher.diff(tmp_path)] == ["removed"]
    assert publisher.publish(tmp_path, "enough") == ["thresholds"]
    assert current_policy(publisher.log).thresholds_for("full") == before


def test_a_rule_may_be_one_in_force_where_the_folder_has_none(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    text = TEXT.replace("merchants: [m-1, m-2]", "rules: [velocity]")
    with pytest.raises(InvalidInputError, match="velocity is no rule"):
        publisher.publish(write(tmp_path, text.removeprefix("rules: []\n")), "")
