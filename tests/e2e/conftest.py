"""The whole local stack for end-to-end tests, started and stopped by the command line."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.stack import RunningStack, start_stack
from tests.fakes.payments import APART, START, TAUGHT, write_payments


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """The API, every worker and every server, with a webhook that this process listens on."""
    with start_stack() as running:
        yield running


@pytest.fixture(scope="session")
def taught(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Output of `train` for a model of TAUGHT imported payments `taught-N`; it is not promoted."""
    path = tmp_path_factory.mktemp("taught") / "payments.csv"
    stack.retrace("ingest", str(path), *write_payments(path, "taught", TAUGHT))
    moment = (START + APART * TAUGHT).isoformat()
    # One in twenty is fraud, more than the usual budgets let decline.
    budget = {"RETRACE_BUDGET_DECLINE": "0.06"}
    asked = "train", "--as-known-at", moment, "--no-promote", "--json"
    done = stack.retrace(*asked, variables=budget)
    told: dict[str, Any] = json.loads(done.stdout)
    return told
