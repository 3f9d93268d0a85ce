"""What a rule can see, and what is unknown to it."""

import pytest

from domain.events import Path
from domain.features import CATALOGUE
from domain.policy.rules.ruling import Value
from domain.rule_values import TYPES, known_values
from tests.fakes.events import submitted

TRANSACTION = submitted("t-1").data.transaction
EVERYTHING: list[float | None] = [float(n) for n in range(len(CATALOGUE))]


def known(flags: list[str], path: Path = "full") -> dict[str, Value]:
    return known_values(tuple(TYPES), TRANSACTION, CATALOGUE, EVERYTHING, flags, path, 0.25)


def test_each_value_is_of_the_type_that_conditions_are_checked_against() -> None:
    seen = known([])
    assert seen["score"] == 0.25
    assert seen["path"] == "full"
    assert seen["card_count_1h"] == CATALOGUE.names.index("card_count_1h")
    assert seen["transaction.amount_minor"] == TRANSACTION.amount
    for name, value in seen.items():
        assert type(value) is TYPES[name]
    # Each name without a value is a field that the transaction lacks.
    assert all(name.startswith("transaction.") for name in TYPES.keys() - seen.keys())


@pytest.mark.parametrize("flag", ["features_unavailable", "deadline_passed"])
def test_what_could_not_be_read_is_unknown_whatever_default_was_served(flag: str) -> None:
    seen = known([flag], "fallback")
    features = {name for name in CATALOGUE.names if name in seen}
    assert features == {each.name for each in CATALOGUE.features if each.entity is None}


def test_features_of_an_entity_that_is_not_named_are_unknown() -> None:
    lost = known([]).keys() - known(["no_card"]).keys()
    assert "card_count_1h" in lost
    assert lost == {each.name for each in CATALOGUE.features if each.entity == "card"}


def test_a_score_that_is_no_probability_is_unknown() -> None:
    assert "score" not in known([], "deadline")
