"""Costs: by service, of each transaction, and none of a service that was started again."""

import pytest

from bench.live.costs import milliseconds_each
from local.stack.errors import StackError


def test_costs_are_those_of_each_transaction_the_dearest_first() -> None:
    found = milliseconds_each({"api": 1.0, "kafka": 2.0}, {"api": 1.5, "kafka": 4.0}, 1000)
    assert list(found.items()) == [("kafka", 2.0), ("api", 0.5), ("all", 2.5)]


def test_a_service_that_was_started_again_is_named() -> None:
    with pytest.raises(StackError, match="api was started again"):
        milliseconds_each({"api": 2.0}, {"api": 0.5}, 10)
