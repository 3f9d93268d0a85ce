"""Owns the whole local stack for end-to-end tests, started and stopped by the command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.stack import RunningStack, start_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """The API, every worker and every server, with a webhook that this process listens on."""
    with start_stack() as running:
        yield running
