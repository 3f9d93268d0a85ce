"""The projection handler: each record once, from the lesser position, the unfoldable set aside."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from domain.errors import FencedError, UnavailableError
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from projections.faust.admission import RecordAdmission
from projections.faust.projection_handler import ProjectionHandler
from tests.builders.workers.pieces import batch
from tests.fakes.events import scored, submitted
from tests.fakes.projections import InMemoryProjection

READ = [submitted("a"), submitted("b"), scored("a"), submitted("c")]


class Bench:
    def __init__(self, path: Path) -> None:
        self.projection = InMemoryProjection()
        self.letters: list[tuple[int, bytes, str]] = []
        self.admission = RecordAdmission(
            TRANSACTIONS.name, partial(SqliteMemory, path), self._set_aside
        )
        self.handler = ProjectionHandler(self.projection, self.admission, self._set_aside)

    async def _set_aside(self, position: Position, value: bytes, reason: str) -> None:
        self.letters.append((position.offset, value, reason))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "admission.sqlite")
    yield bench
    bench.admission.close()


async def test_each_record_is_projected_once_with_its_status(bench: Bench) -> None:
    assert await bench.handler.assign({0, 1}) == {0: 0, 1: 0}
    await bench.handler.handle([batch(READ)])
    await bench.handler.handle([batch(READ)])
    await bench.handler.handle([batch([*READ[3:], scored("b")], first=3)])
    assert bench.projection.handed_in == [[0, 1, 2, 3], [4]]
    assert bench.projection.statuses[0] == dict.fromkeys(range(5), "counts")


async def test_reading_begins_at_the_lesser_position_of_memory_and_projection(bench: Bench) -> None:
    bench.projection.positions = {0: 2, 1: 0}
    assert await bench.handler.assign({0, 1}) == {0: 0, 1: 0}
    await bench.handler.handle([batch(READ)])
    assert bench.projection.statuses[0] == {2: "counts", 3: "counts"}
    bench.projection.positions[0] = 1
    assert await bench.handler.assign({0}) == {0: 1}


async def test_records_below_the_position_are_checked_but_not_projected(bench: Bench) -> None:
    bench.projection.positions = {0: 4}
    await bench.handler.assign({0})
    await bench.handler.handle([batch(READ)])
    assert bench.projection.handed_in == []
    await bench.handler.handle([batch([submitted("a"), scored("b")], first=4)])
    assert bench.projection.statuses[0] == {4: "void", 5: "counts"}


async def test_what_does_not_fit_is_dead_lettered_and_the_rest_projected(bench: Bench) -> None:
    bench.projection.unfoldable = {1: "too long", 3: "too wide"}
    await bench.handler.assign({0})
    read = batch(READ)
    await bench.handler.handle([read])
    assert [(offset, reason) for offset, _, reason in bench.letters] == [
        (1, "too long"),
        (3, "too wide"),
    ]
    assert bench.letters[0][1] == read.records[1][2]
    assert bench.projection.statuses[0] == {0: "counts", 1: "dead", 2: "counts", 3: "dead"}
    assert len(bench.projection.handed_in) == 2


@pytest.mark.parametrize("error", [UnavailableError("postgres", "away"), FencedError("not ours")])
async def test_a_batch_that_failed_may_be_handed_in_again(bench: Bench, error: Exception) -> None:
    await bench.handler.assign({0})
    bench.projection.trouble = [error]
    with pytest.raises(type(error)):
        await bench.handler.handle([batch(READ)])
    await bench.handler.handle([batch(READ)])
    assert bench.projection.statuses[0] == dict.fromkeys(range(4), "counts")
    bench.admission.close()
    assert await bench.handler.assign({0}) == {0: 4}


async def test_the_memory_never_runs_ahead_of_a_projection_that_failed(bench: Bench) -> None:
    await bench.handler.assign({0})
    bench.projection.trouble = [UnavailableError("postgres", "away")]
    with pytest.raises(UnavailableError):
        await bench.handler.handle([batch(READ)])
    bench.admission.close()
    assert await bench.handler.assign({0}) == {0: 0}


async def test_a_revoked_partition_is_forgotten(bench: Bench) -> None:
    await bench.handler.assign({0, 1})
    await bench.handler.revoke({1})
    assert bench.projection.owned.keys() == {0}
