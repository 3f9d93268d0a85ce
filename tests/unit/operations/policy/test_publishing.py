"""Rules from files to the log: faults with their place, and what is in force when."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from commands.intake.tokens import Tokeniser
from commands.policy.adapters.cel import CelLanguage
from commands.policy.rules import publish_rules
from commands.policy.topic import current_policy
from domain.cleaning.list_keys import list_keys
from domain.errors import InvalidInputError, NotFoundError
from domain.events import ModelRolledOut, Thresholds
from domain.rule_values import TYPES
from eventlog.in_memory import InMemoryEventLog
from operations.policy.differences import differences
from operations.policy.publishing import RulePublisher, lint
from tests.fakes.rules import rule

LANGUAGE = CelLanguage(TYPES)
CLEAN = partial(list_keys, tokenise=Tokeniser(bytes(16)))
RULES = """\
rules:
  - name: cards-of-device
    code: card_testing
    words: "{device_distinct_cards_1d} cards from this device in the last day"
    when: device_distinct_cards_1d >= 4.0
    action: decline
    severity: high
    owner: fraud team
  - name: big
    code: big
    words: The amount is {amount}.
    when: |
      amount > 900.0 &&
      transaction.country == "DE"
    action: adjust
    points: -20
    severity: low
    owner: fraud team
    shadow: true
    share: 12.5%
"""


def faults(folder: Path, text: str) -> list[str]:
    (folder / "rules.yaml").write_text(text)
    found = lint(folder, LANGUAGE, CLEAN).faults
    return [str(each).removeprefix(f"{folder}/") for each in found]


def test_rules_are_read_in_the_order_of_files_with_all_their_fields(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(RULES.replace("big", "huge").replace("cards-of", "many-of"))
    assert faults(tmp_path, RULES) == []
    read = [each.rule for each in lint(tmp_path, LANGUAGE, CLEAN).rules]
    assert [each.name for each in read] == ["many-of-device", "huge", "cards-of-device", "big"]
    assert (read[3].points, read[3].shadow, read[3].share) == (-20, True, 1250)
    assert (read[0].points, read[0].shadow, read[0].share) == (0, False, 10_000)
    assert read[3].condition == 'amount > 900.0 &&\ntransaction.country == "DE"'


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (">= 4.0", ">= 4", "rules.yaml:5:36: >= does not take (double, int); write 4.0"),
        (
            "device_distinct_cards_1d >=",
            "device_cards_1d >=",
            "rules.yaml:5:11: device_cards_1d is no feat",
        ),
        ('"DE"', "7", "rules.yaml:14:27: == does not take (string, int)"),
        ("action: decline", "action: block", "rules.yaml:6:13: action expected one of"),
        ("{amount}", "{amout}", "rules.yaml:11:12: words {amout} names nothing"),
        ("name: big", "name: cards-of-device", "rules.yaml:9:11: another rule is called so"),
        ("    code: big\n", "", "rules.yaml:9:5: it has no code"),
        ("12.5%", "1250", "rules.yaml:20:12: expected 0% to 100%"),
        ("shadow: true", "shadow: 1", "rules.yaml:19:13: expected true or false"),
        ("points: -20", "points: x", "rules.yaml:16:13: expected hundredths"),
        ("owner: fraud", "owners: fraud", "rules.yaml:8:5: owners is none of"),
        ("severity: low", "severity: low\n    severity: low", "rules.yaml:18:5: severity is given"),
        ("rules:\n", "rules: [\n", "rules.yaml:2:"),
        ("rules:\n", "rule:\n", "rules.yaml:1:1: expected the keys rules"),
    ],
)
def test_a_fault_is_named_with_file_line_and_column(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    text = RULES.replace(before, after, 1) if "owner" in before else RULES.replace(before, after)
    assert any(each.startswith(said) for each in faults(tmp_path, text)), faults(tmp_path, text)


@pytest.fixture
def log() -> Iterator[InMemoryEventLog]:
    made = InMemoryEventLog()
    yield made
    made.close()


def test_what_is_published_is_in_force_and_an_earlier_set_comes_back(
    tmp_path: Path, log: InMemoryEventLog
) -> None:
    publisher = RulePublisher(log, LANGUAGE, CLEAN, "ann")
    (tmp_path / "rules.yaml").write_text(RULES)
    assert [each.kind for each in publisher.diff(tmp_path)] == ["added", "added"]
    assert publisher.publish(tmp_path, "first")
    assert not publisher.publish(tmp_path, "again")
    (tmp_path / "rules.yaml").write_text(RULES.replace(">= 4.0", ">= 6.0"))
    (change,) = publisher.diff(tmp_path)
    assert change.fields == {
        "condition": ("device_distinct_cards_1d >= 4.0", "device_distinct_cards_1d >= 6.0")
    }
    assert publisher.publish(tmp_path, "second")
    assert publisher.take_back(0, "too few hits")
    sets = publisher.history()
    assert [each.version for each in sets] == [0, 1, 2]
    assert sets[0].fact.rules_hash == sets[2].fact.rules_hash != sets[1].fact.rules_hash
    assert sets[2].fact.took_back == 0
    in_force = current_policy(log).rules
    assert in_force is not None
    assert (in_force.version, list(in_force.rules)) == (2, sets[0].fact.rules)
    with pytest.raises(NotFoundError, match="7"):
        publisher.take_back(7, "")


def test_a_wrong_rule_keeps_the_whole_set_out_of_the_log(
    tmp_path: Path, log: InMemoryEventLog
) -> None:
    (tmp_path / "rules.yaml").write_text(RULES.replace(">= 4.0", ">= 4"))
    with pytest.raises(InvalidInputError, match=r"rules\.yaml:5:36: "):
        RulePublisher(log, LANGUAGE, CLEAN, "ann").publish(tmp_path, "")
    assert current_policy(log).version == -1


def test_the_rules_as_known_at_a_moment_are_those_published_by_then(log: InMemoryEventLog) -> None:
    for moment, name in ((10, "a"), (20, "b")):
        publish_rules(log, [rule(name)], "f", "", moment)
    publisher = RulePublisher(log, LANGUAGE, CLEAN, "ann")
    assert publisher.history(19)[-1].fact.rules[0].name == "a"
    assert publisher.history(20)[-1].fact.rules[0].name == "b"
    assert publisher.history()[-1].version == 1
    assert publisher.history(9) == []


def test_another_order_is_no_difference_and_a_removed_rule_is_one() -> None:
    assert differences([rule("a"), rule("b")], [rule("b"), rule("a")]) == []
    assert [(each.name, each.kind) for each in differences([rule("a")], [])] == [("a", "removed")]


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"no file that ends in \.yaml"):
        lint(tmp_path, LANGUAGE, CLEAN)


LISTS = """\
lists:
  - name: stolen_cards
    of: card
    purpose: deny
    owner: fraud team
    file: stolen.csv
rules:
  - name: stolen
    code: stolen
    words: "{lists.stolen_cards} is stolen"
    when: lists.stolen_cards && amount > 1.0
    action: decline
    severity: high
    owner: fraud team
"""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "when: lists.stolen_cards",
            "when: lists.stolen_card",
            "rules.yaml:11:11: lists.stolen_card is",
        ),
        (
            "when: lists.stolen_cards",
            "when: lists.stolen_cards > 0.5",
            "rules.yaml:11:30: > does not",
        ),
        ("of: card", "of: cards", "rules.yaml:3:9: of expected one of card, customer"),
        ("of: card", "of: name", "rules.yaml:2:5: attribute is for lists of email_domain and name"),
        ("    owner: fraud team\n    file", "    file", "rules.yaml:2:5: it has no owner"),
        ("file: stolen.csv", "file: other.csv", "rules.yaml:6:11: there is no file"),
        ("file: stolen.csv", "files: stolen.csv", "rules.yaml:6:5: files is none of"),
        ("of: card", "of: country", "stolen.csv:2:1: is not an ISO 3166"),
        ("{lists.stolen_cards}", "{lists.stolen}", "rules.yaml:10:13: words {lists.stolen} names"),
    ],
)
def test_faults_of_lists_are_named_with_their_place(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    (tmp_path / "stolen.csv").write_text("value\nc-1\n")
    assert faults(tmp_path, LISTS) == []
    found = faults(tmp_path, LISTS.replace(before, after, 1))
    assert any(each.startswith(said) for each in found), found


def test_a_folder_puts_its_lists_in_force_with_its_rules(
    tmp_path: Path, log: InMemoryEventLog
) -> None:
    publisher = RulePublisher(log, LANGUAGE, CLEAN, "ann")
    entries = tmp_path / "stolen.csv"
    entries.write_text("value\nc-1\n")
    (tmp_path / "rules.yaml").write_text(LISTS)
    changes = [(each.name, each.kind) for each in publisher.diff(tmp_path)]
    assert changes == [("stolen", "added"), ("stolen_cards", "added"), ("stolen_cards", "changed")]
    assert publisher.publish(tmp_path, "first") == ["lists", "rules"]
    assert publisher.diff(tmp_path) == []
    assert not publisher.publish(tmp_path, "again")
    policy = current_policy(log)
    assert policy.rules is not None
    assert policy.rules.lists == (lint(tmp_path, LANGUAGE, CLEAN).lists[0].declared,)
    assert policy.lists.in_force["stolen_cards"].match("c-1", 0).value
    # Entries alone may change.
    entries.write_text("value\nc-2\n")
    assert [each.fields for each in publisher.diff(tmp_path)] == [
        {"entries": ("those of version 1", 1)}
    ]
    assert publisher.publish(tmp_path, "other cards") == ["lists"]
    assert current_policy(log).rules == policy.rules
    assert publisher.lists.change("stolen_cards", entries, "csv", "remove", "found")
    found = [each.fact.change for each in publisher.lists.find("stolen_cards", "c-2")]
    assert found == ["replace", "remove"]
    assert [each.fact.by for each in publisher.lists.history("")] == ["ann"] * 3
    (tmp_path / "rules.yaml").write_text(
        LISTS.replace("    file: stolen.csv\n", "").replace("deny", "watch")
    )
    assert [each.fields for each in publisher.diff(tmp_path)] == [{"purpose": ("deny", "watch")}]
    assert publisher.publish(tmp_path, "only watched") == ["rules"]
    with pytest.raises(NotFoundError):
        publisher.lists.change("others", entries, "csv", "add", "")


def test_a_folder_puts_lists_rules_and_routes_in_force_and_a_challenger_has_all(
    tmp_path: Path, log: InMemoryEventLog
) -> None:
    publisher = RulePublisher(log, LANGUAGE, CLEAN, "ann")
    (tmp_path / "stolen.csv").write_text("value\nc-1\n")
    pager = "routes:\n  - name: pager\n    to: pagerduty\n    secret: PAGER\n"
    (tmp_path / "rules.yaml").write_text(LISTS + pager)
    assert publisher.publish(tmp_path, "all") == ["lists", "rules", "routes"]
    assert publisher.publish(tmp_path, "again") == []
    policy = current_policy(log)
    limits = Thresholds(review=0.5, step_up=0.7, decline=0.9)
    out = ModelRolledOut(
        model_id="m-2", model_hash="ab" * 32, feature_set="f", share=5_000, thresholds=limits
    )
    challenger = policy.apply(out, policy.version + 1).challenger
    assert challenger is not None
    assert (challenger.rules, challenger.lists) == (policy.rules, policy.lists)
    assert [each.name for each in challenger.routes] == ["pager"]
    assert challenger.lists.in_force["stolen_cards"].match("c-1", 0).value


def test_lists_without_rules_are_refused_and_withdraw_none(
    tmp_path: Path, log: InMemoryEventLog
) -> None:
    publisher = RulePublisher(log, LANGUAGE, CLEAN, "ann")
    (tmp_path / "stolen.csv").write_text("value\nc-1\n")
    (tmp_path / "rules.yaml").write_text(LISTS)
    publisher.publish(tmp_path, "all")
    before = current_policy(log)
    (tmp_path / "rules.yaml").write_text(LISTS.partition("rules:")[0])
    with pytest.raises(InvalidInputError, match=r"rules.yaml:2:5: lists come with the rules"):
        publisher.publish(tmp_path, "lists alone")
    assert current_policy(log) == before
