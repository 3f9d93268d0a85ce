"""Ids that a process remembers by the ten thousand, and the garbage collector."""

import gc

from eventlog.index.blocks import Reached
from eventlog.index.entries import sorted_pairs
from eventlog.index.id_index import IdIndex
from eventlog.index.opening import Opened
from tests.fakes.events import scored, submitted


def test_the_collector_walks_no_remembered_id() -> None:
    index = IdIndex()
    index.open(0, Opened(sorted_pairs([]), Reached(), whole=True))
    admit(index, 0, 1)
    gc.collect()
    before = len(gc.get_objects())
    admit(index, 1, 1_000)
    gc.collect()
    assert index.known("t-999") is not None
    assert len(gc.get_objects()) - before < 100


def admit(index: IdIndex, first: int, end: int) -> None:
    for n in range(first, end):
        assert index.admit(submitted(f"t-{n}"), 0, 2 * n)
        assert index.admit(scored(f"t-{n}"), 0, 2 * n + 1)
