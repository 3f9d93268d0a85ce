"""The language of rules: what it refuses and where, and three-valued conditions."""

import pytest

from commands.policy.adapters.cel import CelLanguage
from domain.errors import InvalidInputError
from domain.policy.rules.ruling import Truth, Value
from domain.rule_values import TYPES
from tests.fakes.rules import rule

LANGUAGE = CelLanguage(TYPES)


@pytest.mark.parametrize(
    ("condition", "line", "column", "said"),
    [
        ("amount > 5", 1, 8, "write 5.0 instead of 5"),
        ("amount in [1, 2]", 1, 8, "write 1.0 instead of 1"),
        ("amoun > 5.0", 1, 1, "amoun is no feature, field or list; is amount meant?"),
        ("score > 0.5 &&\n  transaction.contry == 'DE'", 2, 3, "is transaction.country meant?"),
        ("transaction.country == 3", 1, 21, "== does not take (string, int)"),
        ("amount + 1.0", 1, 1, "this is double"),
        ("amount >", 1, 9, "Syntax error"),
        ("transaction.amount_minor * 2 > 5", 1, 1, "write double(...) around integers"),
        ("transaction.mcc.matches('a+')", 1, 1, "matches_string"),
        ("[1.0].exists(x, x > amount)", 1, 1, "a macro"),
        ("amount in [score, 1.0]", 1, 1, "a list holds constants alone"),
        ("dyn(amount) > 5", 1, 1, "to_dyn"),
        ("[1.0] == [2.0]", 1, 1, "a list stands on the right"),
    ],
)
def test_a_condition_is_refused_at_its_line_and_column_with_what_to_do(
    condition: str, line: int, column: int, said: str
) -> None:
    fault = LANGUAGE.faults(condition)[0]
    assert (fault.line, fault.column) == (line, column)
    assert said in fault.message
    with pytest.raises(InvalidInputError, match=f"rule big: {line}:{column}: "):
        LANGUAGE.compile([rule(condition=condition)])


KNOWN: dict[str, Value] = {
    "amount": 10.0,
    "transaction.country": "DE",
    "transaction.amount_minor": 1000,
}


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        ("amount > 5.0", True),
        ("card_count_1h > 5.0", None),
        ("!(card_count_1h > 5.0)", None),
        ("card_count_1h != 5.0", None),
        ("card_count_1h > 5.0 || amount > 5.0", True),
        ("card_count_1h > 5.0 || amount > 50.0", None),
        ("amount > 50.0 && card_count_1h > 5.0", False),
        ("card_count_1h > 5.0 && amount > 50.0", False),
        ("card_count_1h > 5.0 && amount > 5.0", None),
        ("card_count_1h > 5.0 ? true : true", None),
        ("amount > 5.0 ? true : card_count_1h > 5.0", True),
        ("transaction.country in ['DE', 'AT']", True),
        ("transaction.channel in ['ecom']", None),
        ("double(transaction.amount_minor) / 100.0 == amount", True),
        ("amount / 0.0 > 5.0", True),
        ("!((amount - amount) / 0.0 > 5.0)", True),
    ],
)
def test_unknown_is_neither_true_nor_false(condition: str, truth: Truth) -> None:
    made = LANGUAGE.compile([rule(condition=condition)])
    assert made.truths(KNOWN) == [truth]


def test_a_set_names_what_its_conditions_see() -> None:
    conditions = ["score > 0.5", "amount > 1.0 || transaction.country == 'DE'", "amount < 9.0"]
    made = LANGUAGE.compile([rule(f"r-{n}", each) for n, each in enumerate(conditions)])
    assert sorted(made.names) == ["amount", "score", "transaction.country"]
    assert LANGUAGE.compile([]).names == ()
