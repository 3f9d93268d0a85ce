"""Features in a policy's folder: read, checked, and kept out of what is published."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from typer.testing import CliRunner

from cli.main import app
from commands.intake.tokens import Tokeniser
from commands.policy.adapters.cel import CelLanguage
from commands.policy.topic import current_policy
from domain.cleaning.list_keys import list_keys
from domain.errors import InvalidInputError
from domain.features import CATALOGUE, Entity, Feature, FeatureSet
from domain.features.declarations.feature import Aggregation, Field, Filter
from domain.features.declarations.windows import DAYS_90, Window
from domain.rule_values import TYPES
from domain.times import HOUR, MINUTE
from eventlog.in_memory import InMemoryEventLog
from operations.policy.publishing import RulePublisher, lint
from operations.policy.rule_files import RuleFiles

LANGUAGE = CelLanguage(TYPES)
CLEAN = partial(list_keys, tokenise=Tokeniser(bytes(16)))
TEXT = """\
features:
  - name: card_sum_2h
    meaning: sum of the card's amounts in the last 2 hours
    entity: card
    aggregation: sum
    window: 2h
    resolution: 2m
  - name: payer_high
    meaning: high ones among the payer's declined payments of 3 hours
    entity: payer
    aggregation: count above own quantile
    field: amount
    filter: declined
    window: 3h
    resolution: 3m
    baseline: 90d
    cap: 128
    quantile: 0.95
    times: 2
    default: -1
rules:
  - name: dear
    code: dear
    words: "{card_sum_2h} within two hours"
    when: card_sum_2h >= 500.0 && payer_high < 1.0
    action: review
    severity: low
    owner: ann
"""
WRITTEN = (
    Feature(
        name="card_sum_2h",
        meaning="sum of the card's amounts in the last 2 hours",
        aggregation=Aggregation.SUM,
        entity=Entity.CARD,
        field=Field.AMOUNT,
        window=Window("2h", 2 * HOUR, 2 * MINUTE),
    ),
    Feature(
        name="payer_high",
        meaning="high ones among the payer's declined payments of 3 hours",
        aggregation=Aggregation.HIGH_COUNT,
        entity=Entity.PAYER,
        field=Field.AMOUNT,
        filter=Filter.DECLINED,
        window=Window("3h", 3 * HOUR, 3 * MINUTE),
        baseline=DAYS_90,
        cap=128,
        quantile=950,
        times=2,
        default=-1.0,
    ),
)


def linted(folder: Path, text: str) -> RuleFiles:
    (folder / "policy.yaml").write_text(text)
    return lint(folder, LANGUAGE, CLEAN)


def test_features_are_read_with_all_their_keys_and_conditions_and_words_see_them(
    tmp_path: Path,
) -> None:
    found = linted(tmp_path, TEXT)
    assert found.faults == []
    assert FeatureSet.from_json(found.content.features).features == WRITTEN


def as_yaml(feature: Feature) -> dict[str, Any]:
    """As people write it, from minutes and from words of the reference page."""
    given: dict[str, Any] = {
        "name": feature.name,
        "meaning": "in other words",
        "entity": feature.entity and feature.entity.value,
        "aggregation": feature.aggregation.value,
        "field": feature.field and feature.field.value,
        "filter": feature.filter and feature.filter.value,
        "cap": feature.cap,
        "quantile": feature.quantile and feature.quantile / 1000,
        "times": feature.times,
        "last": feature.last,
        "default": feature.default,
    }
    for key, finer, window in (
        ("window", "resolution", feature.window),
        ("baseline", "baseline_resolution", feature.baseline),
    ):
        if window is not None:
            given |= {key: f"{window.span // MINUTE}m", finer: f"{window.tile // 1_000_000}s"}
    return {key: value for key, value in given.items() if value is not None}


@pytest.mark.parametrize("finer", [True, False])
def test_a_feature_that_is_declared_just_as_in_the_catalogue_is_that_of_the_catalogue(
    tmp_path: Path, finer: bool
) -> None:
    """Without a resolution it has that of the catalogue, too."""
    given = [as_yaml(each) for each in CATALOGUE.features]
    if not finer:
        given = [{k: v for k, v in each.items() if "resolution" not in k} for each in given]
    found = linted(tmp_path, yaml.safe_dump({"features": given, "rules": []}))
    assert found.faults == []
    assert [each.feature.definition for each in found.features] == [
        each.definition for each in CATALOGUE.features
    ]
    assert found.content.features == ""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("aggregation: sum", "aggregation: total",
         "5:18: feature card_sum_2h: aggregation 'total' is unknown: expected one of value of"),
        ("entity: card", "entity: till",
         "4:13: feature card_sum_2h: entity 'till' is unknown: expected one of card, payer"),
        ("field: amount", "field: tip", "12:12: feature payer_high: field 'tip' is unknown"),
        ("field: amount", "field: country", "12:12: feature payer_high: field: unknown field"),
        ("filter: declined", "filter: odd", "13:13: feature payer_high: filter 'odd' is unknown"),
        ("window: 2h", "window: soon",
         "6:13: feature card_sum_2h: window expected a number with s, m, h, d or w"),
        ("    resolution: 2m\n", "",
         "6:13: feature card_sum_2h: window: give a resolution, of 2m or more"),
        ("resolution: 2m", "resolution: 30s",
         "7:17: feature card_sum_2h: resolution: 2h has 64 parts at most: give 2m or more"),
        ("resolution: 2m", "resolution: 3h", "6:13: feature card_sum_2h: window: window 2h: the"),
        ("    window: 2h\n", "", "6:17: feature card_sum_2h: resolution: there is no window: take"),
        ("    window: 2h\n    resolution: 2m\n", "",
         "2:5: feature card_sum_2h: window: state would be unbounded: give a window"),
        ("resolution: 2m", "cap: 5", "6:13: feature card_sum_2h: window: give a resolution"),
        ("resolution: 2m", "resolution: 2m\n    cap: 5",
         "8:10: feature card_sum_2h: cap: 'sum' has no cap: take it away"),
        ("    cap: 128\n", "", "8:5: feature payer_high: cap: state would be unbounded: give a"),
        ("cap: 128", "cap: 5000", "17:10: feature payer_high: cap: a cap is from 1 to 4096"),
        ("cap: 128", "cap: many", "17:10: feature payer_high: cap 'many' is no whole number"),
        ("quantile: 0.95", "quantile: 95",
         "18:15: feature payer_high: quantile is from 0.001 to 1, in thousandths"),
        ("times: 2", "times: 99", "19:12: feature payer_high: times: a times is from 1 to 64"),
        ("times: 2", "last: 2", "8:5: feature payer_high: times: give a times"),
        ("default: -1", "default: none", "20:14: feature payer_high: default 'none' is no number"),
        ("default: -1", "default: .inf", "20:14: feature payer_high: default '.inf' is no number"),
        ("    entity: card\n", "",
         "2:5: feature card_sum_2h: entity: a value of the request has no entity, and every"),
        ("    meaning: sum of the card's amounts in the last 2 hours\n", "",
         "2:5: feature card_sum_2h: it has no meaning"),
        ("meaning: sum of the card's amounts in the last 2 hours", "meaning: ''",
         "3:14: feature card_sum_2h: meaning expected one value"),
        ("resolution: 2m", "tile: 2m", "7:5: feature card_sum_2h: tile is none of name, meaning"),
        ("name: card_sum_2h", "name: Card Sum",
         "2:11: feature Card Sum: name: a name is lower case"),
        ("  - name: card_sum_2h\n    meaning", "  - meaning", "2:5: feature ?: it has no name"),
        ("name: card_sum_2h", "name: payer_high",
         "8:11: feature payer_high: name: another feature is called so, at"),
        ("name: card_sum_2h", "name: card_amount_sum_1h",
         "2:11: feature card_amount_sum_1h: name: the catalogue has another feature of this name"),
        ("name: card_sum_2h", "name: score", "2:11: feature score: name: a condition cannot use"),
        ("name: card_sum_2h", "name: in", "2:11: feature in: name: a condition cannot use this"),
        ("card_sum_2h >= 500.0", "card_sum_3h >= 500.0",
         "25:11: card_sum_3h is no feature, field or list; is card_sum_2h meant?"),
        ("{card_sum_2h}", "{card_sum_3h}", "24:13: words {card_sum_3h} names nothing"),
        ("card_sum_2h >= 500.0", "card_sum_2h >= 500", "25:23: >= does not take (double, int)"),
        ("features:\n", "features: {}\nother:\n", "1:1: expected the keys rules, lists, routes"),
        (TEXT[TEXT.index("rules:"):], "", "2:5: features come with the rules that see them"),
        ("  - name: card_sum_2h\n", "  - text\n  - name: card_sum_2h\n",
         "2:5: feature ?: expected name, meaning, entity"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place_its_feature_and_its_key(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    assert before in TEXT
    found = [str(f) for f in linted(tmp_path, TEXT.replace(before, after, 1)).faults]
    assert any(each.startswith(f"{tmp_path}/policy.yaml:{said}") for each in found), found


@pytest.fixture
def publisher() -> Iterator[RulePublisher]:
    log = InMemoryEventLog()
    yield RulePublisher(log, LANGUAGE, CLEAN, "ann")
    log.close()


def test_a_folder_with_features_of_its_own_is_neither_published_nor_drafted(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    (tmp_path / "policy.yaml").write_text(TEXT + "thresholds: {review: 1, step_up: 1, decline: 1}")
    for refused in (
        lambda: publisher.publish(tmp_path, "why"),
        lambda: publisher.draft(tmp_path, "mine", "why"),
        lambda: publisher.diff(tmp_path),
    ):
        with pytest.raises(InvalidInputError, match="card_sum_2h, payer_high can be tried") as told:
            refused()
        assert "Add it to the catalogue" in str(told.value)
    assert current_policy(publisher.log).version == -1


def test_once_its_features_are_in_the_catalogue_a_folder_is_published_as_it_stands(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    known = "name: card_amount_sum_1h\n    meaning: m\n    entity: card\n    aggregation: sum"
    rules = TEXT[TEXT.index("rules:") :].replace("card_sum_2h", "card_amount_sum_1h")
    text = f"features:\n  - {known}\n    window: 1h\n{rules.replace(' && payer_high < 1.0', '')}"
    (tmp_path / "policy.yaml").write_text(text)
    assert publisher.publish(tmp_path, "why") == ["rules"]


def test_lint_says_that_such_a_folder_can_be_tried_and_not_published(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(TEXT)
    found = CliRunner().invoke(app, ["policy", "lint", str(tmp_path)])
    assert found.exit_code == 0
    assert "1 rules, 0 lists, 0 routes, 0 suppressions, nothing wrong" in found.output
    assert "not in the catalogue: card_sum_2h, payer_high" in found.output
    assert "can be backtested, and not published" in found.output
    (tmp_path / "policy.yaml").write_text(TEXT.replace("window: 2h", "window: 2x"))
    found = CliRunner().invoke(app, ["policy", "lint", str(tmp_path)])
    assert found.exit_code == 1
    assert "policy.yaml:6:13: feature card_sum_2h: window expected" in found.output
