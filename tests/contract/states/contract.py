"""Contract suite of StateStore; one test module per adapter inherits it and gives the stores."""

from collections.abc import Callable, Iterable

import pytest

from domain.errors import FencedError, IntegrityError
from domain.features import CATALOGUE, Entity
from eventlog.routing import shard_of
from eventlog.topics import ENTITIES
from projections.online.port import Marker, Move, StateStore
from tests.builders.workers.history import save, state_of

Key = tuple[Entity, str]
CARD = (Entity.CARD, "c1")
SHARD = shard_of(*CARD)
# Of the same shard.
NEVER = next(key for n in range(99) if shard_of(*(key := (Entity.CARD, f"never-{n}"))) == SHARD)


class StateStoreContract:
    """Stores of one keyspace, which is empty at the start of each test."""

    @pytest.fixture
    def open_store(self) -> Callable[[], StateStore]:
        raise NotImplementedError("give stores of one keyspace")

    @pytest.fixture
    def lose(self) -> Callable[[Key], None]:
        raise NotImplementedError("give what removes a state from the store, and nothing else")

    @pytest.fixture
    def lose_index(self) -> Callable[[int], None]:
        raise NotImplementedError("give what removes the index of a shard")

    @pytest.fixture
    def states(self, open_store: Callable[[], StateStore]) -> StateStore:
        return adopted(open_store)

    def test_a_begun_keyspace_is_live_and_empty(self, states: StateStore) -> None:
        markers = states.markers()
        assert (markers.made, dict(markers.at)) == (True, {})
        assert states.moved() is None
        assert states.features.hash == CATALOGUE.hash

    def test_a_read_gives_one_state_per_key_in_order_and_an_empty_one_where_none_is(
        self, states: StateStore
    ) -> None:
        stored = state_of(range(3), key="c2")
        save(states, stored)
        keys = [(Entity.CARD, "c3"), (Entity.CARD, "c2"), (Entity.MERCHANT, "c2")]
        read = states.read(keys)
        assert [(each.entity, each.key) for each in read.states] == keys
        assert [each.version for each in read.states] == [{}, {0: 2}, {}]
        assert read.states[1].to_bytes() == stored.to_bytes()
        assert read.features.hash == CATALOGUE.hash

    def test_another_store_of_the_keyspace_reads_what_was_saved(
        self, states: StateStore, open_store: Callable[[], StateStore]
    ) -> None:
        save(states, state_of(range(3)))
        states.save([], [Move(0, None, Marker(3, {0: 2}))])
        other = adopted(open_store)
        assert other.read([CARD]).states[0].version == {0: 2}
        assert other.markers().at == {0: Marker(3, {0: 2})}

    def test_the_bytes_are_stored_though_the_state_was_folded_on(self, states: StateStore) -> None:
        earlier, state = state_of(range(3)).to_bytes(), state_of(range(5))
        states.save([(state, earlier)])
        assert states.read([CARD]).states[0].version == {0: 2}

    def test_an_older_state_never_replaces_a_newer_one(self, states: StateStore) -> None:
        newer = state_of(range(5))
        save(states, newer)
        with pytest.raises(FencedError):
            save(states, state_of(range(3)))
        assert states.read([CARD]).states[0].to_bytes() == newer.to_bytes()

    def test_a_state_that_lacks_a_partition_is_refused(self, states: StateStore) -> None:
        save(states, state_of(range(3), partition=1))
        with pytest.raises(FencedError):
            save(states, state_of(range(9), partition=2))
        assert states.read([CARD]).states[0].version == {1: 2}

    def test_what_was_written_before_a_refusal_stays(self, states: StateStore) -> None:
        save(states, state_of(range(5)))
        with pytest.raises(FencedError):
            save(states, state_of(range(2), key="c2"), state_of(range(3)))
        assert states.read([(Entity.CARD, "c2")]).states[0].version == {0: 1}

    def test_repeating_a_write_is_harmless(self, states: StateStore) -> None:
        for _ in range(2):
            save(states, state_of(range(3)))
        assert states.read([CARD]).states[0].version == {0: 2}

    def test_a_marker_moves_only_from_where_its_writer_left_it(self, states: StateStore) -> None:
        first, second = Marker(1, {0: 4}), Marker(2, {0: 9})
        states.save([], [Move(3, None, first)])
        with pytest.raises(FencedError):
            states.save([], [Move(3, None, second)])
        states.save([], [Move(3, first, second)])
        assert states.markers().at == {3: second}

    def test_repeating_a_move_is_harmless(self, states: StateStore) -> None:
        for _ in range(2):
            states.save([], [Move(3, None, Marker(1, {0: 4}))])
        assert states.markers().at == {3: Marker(1, {0: 4})}

    def test_a_lost_marker_is_no_takeover(self, states: StateStore) -> None:
        with pytest.raises(IntegrityError):
            states.save([], [Move(4, Marker(1, {0: 4}), Marker(2, {0: 9}))])

    def test_several_markers_move_together(self, states: StateStore) -> None:
        moved = {shard: Marker(shard, {0: shard}) for shard in range(3)}
        states.save([], [Move(shard, None, after) for shard, after in moved.items()])
        assert states.markers().at == moved

    def test_a_claim_raises_the_epoch_and_leaves_the_marker(self, states: StateStore) -> None:
        first = Marker(1, {0: 4})
        states.save([], [Move(3, None, first)])
        assert [states.claim({3: 7, 5: 7}) for _ in range(2)] == [{3: 1, 5: 1}, {3: 2, 5: 2}]
        assert states.epochs() == {3: 2, 5: 2}
        assert states.markers().at == {3: first, 5: Marker(7)}

    def test_the_moves_of_an_earlier_claim_are_refused(
        self, states: StateStore, open_store: Callable[[], StateStore]
    ) -> None:
        other, first = adopted(open_store), Marker(1, {0: 4})
        before = states.claim({3: 0})[3]
        now = other.claim({3: 0})[3]
        for epoch in (before, 0):
            with pytest.raises(FencedError):
                states.save([], [Move(3, Marker(0), first, epoch)])
        other.save([], [Move(3, Marker(0), first, now)])
        assert states.markers().at == {3: first}
        with pytest.raises(FencedError):
            states.save([], [Move(3, Marker(0), first, before)])

    def test_states_are_stored_before_the_markers_that_cover_them(self, states: StateStore) -> None:
        epoch, after = states.claim({0: 0})[0], Marker(3, {0: 2})
        newer, older = state_of(range(5), key="c2"), state_of(range(3), key="c2")
        state = state_of(range(3))
        save(states, newer)
        with pytest.raises(FencedError):
            states.save(
                [(state, state.to_bytes()), (older, older.to_bytes())],
                [Move(0, Marker(0), after, epoch)],
            )
        assert states.markers().at == {0: Marker(0)}
        states.save([(state, state.to_bytes())], [Move(0, Marker(0), after, epoch)])
        assert states.markers().at == {0: after}

    def test_a_state_that_is_gone_is_told_from_one_that_never_was(
        self, states: StateStore, lose: Callable[[Key], None]
    ) -> None:
        states.claim({SHARD: 0})
        save(states, state_of(range(3)), state_of(range(3), key="c2"))
        assert states.read([CARD, (Entity.CARD, "c2"), NEVER]).lost == frozenset()
        lose(CARD)
        read = states.read([CARD, (Entity.CARD, "c2"), NEVER])
        assert read.lost == {CARD}
        assert [each.version for each in read.states] == [{}, {0: 2}, {}]
        save(states, state_of(range(3)))
        assert states.read([CARD]).lost == frozenset()

    def test_a_sweep_finds_states_that_are_gone_in_the_shards_that_it_is_asked_for(
        self, states: StateStore, lose: Callable[[Key], None]
    ) -> None:
        cards = [(Entity.CARD, f"card-{number}") for number in range(400)]
        save(states, *(state_of(range(1), key=key) for _, key in cards))
        assert swept(states, range(ENTITIES.partitions)) == set()
        for each in cards[100:103]:
            lose(each)
        gone = {each for each in cards[100:103] if shard_of(*each) == shard_of(*cards[100])}
        assert swept(states, [shard_of(*cards[100])]) == gone
        assert swept(states, range(ENTITIES.partitions)) == set(cards[100:103])

    def test_a_shard_that_is_claimed_anew_has_begun_nothing_and_covers_nothing(
        self, states: StateStore, lose: Callable[[Key], None]
    ) -> None:
        states.claim({SHARD: 0})
        kept = next(each for n in range(99) if shard_of(*(each := (Entity.CARD, f"k{n}"))) == SHARD)
        save(states, state_of(range(3)), state_of(range(3), key=kept[1]))
        states.save([], [Move(SHARD, Marker(0), Marker(4, {0: 2}), 1)])
        states.rebuilding(SHARD, False, 1)
        states.claim({SHARD: 0})
        assert SHARD not in states.markers().rebuilding
        lose(CARD)
        assert states.claim({SHARD: 6}, {SHARD}) == {SHARD: 3}
        # At once: between the claim and another call somebody may read.
        markers = states.markers()
        assert (markers.at, SHARD in markers.rebuilding) == ({SHARD: Marker(6)}, True)
        read = states.read([CARD, kept])
        assert (read.lost, read.states[1].version) == (frozenset(), {0: 2})
        assert swept(states, [SHARD]) == set()
        # A write takes a state up again, also one that changes nothing.
        save(states, state_of(range(3), key=kept[1]))
        lose(kept)
        assert states.read([CARD, kept]).lost == {kept}

    def test_without_its_index_a_shard_takes_no_state_until_it_is_claimed_and_covers_nothing(
        self, states: StateStore, lose_index: Callable[[int], None]
    ) -> None:
        states.claim({SHARD: 0})
        save(states, state_of(range(3)))
        states.save([], [Move(SHARD, Marker(0), Marker(4, {0: 2}), 1)])
        lose_index(SHARD)
        assert shard_of(*NEVER) == SHARD
        read = states.read([CARD, NEVER])
        assert read.lost == {NEVER}
        assert read.states[0].version == {0: 2}
        for _ in range(2):
            with pytest.raises(IntegrityError):
                save(states, state_of(range(5)))
        assert states.claim({SHARD: 6}) == {SHARD: 2}
        assert states.markers().at == {SHARD: Marker(6)}
        save(states, state_of(range(5)))
        assert states.read([CARD, NEVER]).lost == frozenset()

    def test_a_shard_is_flagged_while_it_is_rebuilt(self, states: StateStore) -> None:
        epoch = states.claim({3: 0})[3]
        states.rebuilding(3, True, epoch)
        assert 3 in states.markers().rebuilding
        assert 3 in states.read([CARD]).markers.rebuilding
        states.rebuilding(3, False, epoch)
        assert 3 not in states.markers().rebuilding

    def test_who_has_lost_a_shard_does_not_flag_it(
        self, states: StateStore, open_store: Callable[[], StateStore]
    ) -> None:
        before = states.claim({3: 0})[3]
        now = adopted(open_store).claim({3: 0})[3]
        for on in (False, True):
            states.rebuilding(3, on, now)
            with pytest.raises(FencedError):
                states.rebuilding(3, not on, before)
            assert (3 in states.markers().rebuilding) is on


def swept(states: StateStore, shards: Iterable[int]) -> set[Key]:
    """What is found until each shard was looked through once."""
    cursors, found = dict.fromkeys(shards, 0), set[Key]()
    while cursors:
        cursors, lost = states.sweep(cursors)
        cursors = {shard: cursor for shard, cursor in cursors.items() if cursor}
        found.update(lost)
    return found


def adopted(open_store: Callable[[], StateStore]) -> StateStore:
    store = open_store()
    store.adopt()
    return store
