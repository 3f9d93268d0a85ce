"""Ids in a file: to each question what an array of the same texts answers."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from projections.replay.mapped_ids import MappedIds

TEXTS = [f"t-{number}" for number in range(10)]


@pytest.fixture
def ids(tmp_path: Path) -> MappedIds:
    """In batches of four, and of a file that is gone."""
    schema = pa.schema([("id", pa.string())])
    path = tmp_path / "ids.arrow"
    with pa.ipc.new_file(str(path), schema) as writer:
        for begin in range(0, len(TEXTS), 4):
            writer.write_table(pa.table({"id": TEXTS[begin : begin + 4]}, schema=schema))
    with pa.memory_map(str(path)) as source:
        found = MappedIds(pa.ipc.open_file(source).read_all()["id"])
    path.unlink()
    return found


@pytest.mark.parametrize(
    "rows",
    [
        *(0, 9, -1, np.int64(5), slice(2, 7), slice(None), slice(7, 2), slice(1, 9, 3)),
        *(np.array([8, 0, 3, 3]), np.array([], dtype=np.int64), np.arange(10) % 3 == 0),
    ],
)
def test_rows_are_those_of_an_array(ids: MappedIds, rows: int) -> None:
    found, expected = ids[rows], np.array(TEXTS, dtype=object)[rows]
    assert np.shape(found) == np.shape(expected)
    assert np.array_equal(found, expected)


def test_all_of_them_are_those_of_an_array(ids: MappedIds) -> None:
    assert (len(ids), ids.tolist()) == (len(TEXTS), TEXTS)
    assert list(ids) == TEXTS
    assert np.array_equal(np.array(TEXTS, dtype=object), ids)
