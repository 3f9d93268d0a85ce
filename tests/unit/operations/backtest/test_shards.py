"""Shards: events by their entity, and files that are read by part."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.features.kernel.row_layout import CUSTOMER, MERCHANT, PRESENT, WIDTH
from operations.backtest.laying.items import mapped_items, read_items
from operations.backtest.laying.shards import _grouped

# Ids that share their last 32 bits too.
IDS = st.sampled_from([1, 2, 1 << 16, (1 << 32) + 1, (1 << 32) + 2, -(1 << 63), (1 << 48) + 1])


@given(st.lists(st.tuples(IDS, IDS, st.booleans(), st.booleans()), max_size=30))
@pytest.mark.parametrize("columns", [(CUSTOMER,), (CUSTOMER, MERCHANT)])
def test_the_events_of_each_entity_stand_together_in_their_order(
    columns: tuple[int, ...], named: list[tuple[int, int, bool, bool]]
) -> None:
    rows = np.zeros((len(named), WIDTH), dtype=np.int64)
    expected: dict[tuple[int, ...], list[int]] = {}
    for at, (customer, merchant, has_customer, has_merchant) in enumerate(named):
        rows[at, [CUSTOMER, MERCHANT]] = customer, merchant
        rows[at, PRESENT] = has_customer << CUSTOMER | has_merchant << MERCHANT
        if all(rows[at, PRESENT] >> column & 1 for column in columns):
            expected.setdefault(tuple(rows[at, list(columns)].tolist()), []).append(at)
    order, spans, keys = _grouped(rows, columns)
    found = {
        tuple(key): order[begin:end].tolist()
        for key, begin, end in zip(keys.tolist(), spans[:-1], spans[1:], strict=True)
    }
    assert len(keys) == len(found)
    assert found == expected


def test_a_part_of_a_file_is_what_was_laid_there(tmp_path: Path) -> None:
    laid = np.arange(24, dtype=np.int64).reshape(8, 3)
    laid.tofile(tmp_path / "rows")
    assert (read_items(tmp_path / "rows", 2, 5, np.int64, 3) == laid[2:5]).all()
    assert read_items(tmp_path / "rows", 4, 4, np.int64, 3).shape == (0, 3)
    assert mapped_items(tmp_path / "rows").tolist() == laid.reshape(-1).tolist()
    np.zeros(0, dtype=np.int64).tofile(tmp_path / "none")
    assert len(mapped_items(tmp_path / "none")) == 0
    with pytest.raises(OSError, match="ends too early"):
        read_items(tmp_path / "rows", 7, 9, np.int64, 3)
