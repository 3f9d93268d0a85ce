"""Catch-up: a generation beside the live one is folded up to where the topic ends, once."""

from collections.abc import Iterator, Mapping

from domain.features import Entity, feature_event
from eventlog.in_memory import InMemoryEventLog
from eventlog.port import Position, Recorded
from eventlog.routing import shard_of
from eventlog.topics import ENTITIES, Topic
from projections.online.catch_up import CatchUp
from projections.online.port import Marker
from tests.builders.workers.entities import routed_record
from tests.fakes.events import imported
from tests.fakes.states import InMemoryStates

CARD = "c1"
SHARD = shard_of(Entity.CARD, CARD)


class Growing(InMemoryEventLog):
    """An entity topic to which one more event is routed on each read."""

    def __init__(self, events: int) -> None:
        super().__init__()
        self.routed: list[bytes] = []
        for _ in range(events):
            self.route()

    def route(self) -> None:
        offset = len(self.routed)
        event = feature_event(imported(f"t{offset}"))
        assert event is not None
        event = event._replace(card_id=CARD)
        self.routed.append(routed_record(event, 0, offset, [Entity.CARD]))

    async def ends(self, topic: Topic) -> list[int]:
        held = {SHARD: len(self.routed)} if topic is ENTITIES else {}
        return [held.get(partition, 0) for partition in range(topic.partitions)]

    def read(
        self,
        topic: Topic,
        start: Mapping[int, int] | None = None,
        end: Mapping[int, int] | None = None,
    ) -> Iterator[Recorded]:
        assert start is not None
        assert end is not None
        for offset in range(start[SHARD], end[SHARD]):
            self.route()
            yield Recorded(Position(topic.name, SHARD, offset), None, self.routed[offset])


def begun() -> InMemoryStates:
    """A generation that covers nothing yet."""
    states = InMemoryStates()
    states.marks.update({shard: Marker() for shard in range(ENTITIES.partitions)})
    return states


async def test_it_ends_where_the_topic_ended_at_its_start() -> None:
    states, log = begun(), Growing(events=5)
    assert await CatchUp(log, states).run() == 5
    assert states.marks[SHARD] == Marker(5, {0: 4})
    (state,) = states.read([(Entity.CARD, CARD)]).states
    assert state.version == {0: 4}


async def test_it_goes_on_from_the_markers_of_its_generation() -> None:
    states, log = begun(), Growing(events=5)
    await CatchUp(log, states).run()
    assert await CatchUp(log, states).run() == 5
    assert await CatchUp(log, states).run() == 5
    (state,) = states.read([(Entity.CARD, CARD)]).states
    assert state.version == {0: 14}
    assert states.marks[SHARD] == Marker(15, {0: 14})
