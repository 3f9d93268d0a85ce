"""The offline worker: whatever order records come in, vectors end as the ideal fold of the log."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from domain.events import Envelope, TransactionImported, TransactionLabelled, TransactionScored
from domain.features import CATALOGUE
from domain.times import DAY, HOUR, SECOND
from domain.transactions import Transaction
from tests.builders.feature_streams import T0, examples
from tests.builders.workers.offline import SETTLE, OfflineWorld, SteppedLoop
from tests.fakes.events import imported, labelled, scored, transaction

PARTITIONS = 3
LABELS = ("fraud", "genuine")
Step = tuple[str, tuple[int, ...]]
Record = tuple[int, str, int, int]
"""(partition, kind, known time, lateness of its event time), in the order of their appends."""


def record_of(number: int, partition: int, kind: str, known: int, late: int) -> Envelope | None:
    paid = payment(number, known - late)
    if kind == "broken":
        return None
    if kind == "imported":
        envelope = imported(paid.transaction_id, known_time=known)
        assert isinstance(envelope.data, TransactionImported)
        return replace(envelope, data=replace(envelope.data, transaction=paid))
    if kind == "decided":
        envelope = scored(paid.transaction_id, known_time=known)
        assert isinstance(envelope.data, TransactionScored)
        served: list[float | None] = [None] * len(CATALOGUE)
        data = replace(
            envelope.data,
            transaction=paid,
            feature_set=CATALOGUE.hash,
            features=served,
            versions={},
        )
        return replace(envelope, data=data)
    # Several labels of one transaction, which share its partition.
    of = replace(
        payment(number // 4, T0 - 2 * DAY), transaction_id=f"labelled-{partition}-{number // 4}"
    )
    value = int(kind == "fraud")
    label = TransactionLabelled.of(
        of, value=value, kind="chargeback", reporter="bank", reference=f"r{number}"
    )
    fact = labelled(of.transaction_id, label.reference, value, known_time=known)
    return replace(fact, data=label)


def payment(number: int, time: int) -> Transaction:
    return transaction(
        f"t{number}",
        timestamp=time,
        amount=100 + number,
        base_amount=100 + number,
        card_id=f"c{number % 2}",
        merchant_id=f"m{number % 3 % 2}",
    )


def play(steps: Sequence[Step], records: Sequence[Record]) -> OfflineWorld:
    """Small blocks, so that a few records need many of them."""
    loop = SteppedLoop()
    worker, remaking = "projections.offline.worker", "projections.offline.remaking"
    try:
        with (
            TemporaryDirectory() as folder,
            patch(f"{worker}._AT_ONCE", 3),
            patch("projections.offline.entity_states._MOST_BYTES", 2_000),
            patch(f"{worker}._WRITE_ROWS", 2),
            patch(f"{remaking}._AT_ONCE", 3),
        ):
            world = OfflineWorld(loop, Path(folder))
            loop.run_until_complete(_play(world, steps, records))
            world.states.close()
    finally:
        loop.close()
    return world


async def _play(world: OfflineWorld, steps: Sequence[Step], records: Sequence[Record]) -> None:
    await world.start()
    waiting = list(enumerate(records))
    for name, figures in steps:
        if name == "append":
            _append(world, waiting[: figures[0]])
            del waiting[: figures[0]]
        elif name == "read":
            await world.read(*figures)
        elif name == "come":
            _append(world, waiting[: figures[0]])
            del waiting[: figures[0]]
            await world.read_all()
        elif name == "pass":
            world.loop.moment += SETTLE * figures[0] / 2
            await world.look()
        elif name == "anew":
            await world.make_anew()
        elif name == "anew in trouble":
            # In its own write: what waits for a write is written first.
            await world.look()
            world.database.trouble.append((bool(figures[0]), bool(figures[1])))
            await world.make_anew()
        elif name == "await anew":
            await world.anew_ended()
        elif name == "crash":
            await world.crash()
        else:
            world.database.trouble.append((bool(figures[0]), bool(figures[1])))
    _append(world, waiting)
    await world.finish()


def _append(world: OfflineWorld, records: Sequence[tuple[int, Record]]) -> None:
    for number, (partition, kind, known, late) in records:
        world.append(partition, record_of(number, partition, kind, known, late))


def assert_ideal(world: OfflineWorld, records: Sequence[Record]) -> None:
    assert world.database.rows == world.expected()
    kinds = [kind for _, kind, _, _ in records]
    for partition, log in enumerate(world.log):
        assert world.database.next(partition) == len(log), f"partition {partition}"
    counted = world.database.counted.progress.values()
    assert sum(each.projected for each in counted) == len(kinds) - kinds.count("broken")
    assert sum(each.dead for each in counted) == kinds.count("broken")
    compared = sum(tally.compared for tally in world.database.tallies.values())
    assert compared == kinds.count("decided") * len(CATALOGUE)


def _records(unit: int) -> st.SearchStrategy[list[Record]]:
    """Mostly as they were known; some long after that, some stated before."""
    return st.lists(
        st.tuples(
            st.integers(0, PARTITIONS - 1),
            st.sampled_from(["decided", "imported", "decided", "imported", *LABELS, "broken"]),
            st.sampled_from([0, 0, 0, -10, -5, 3]),
            st.sampled_from([0, 0, 1, 40 * SECOND, DAY]),
        ),
        min_size=8,
        max_size=20,
    ).map(
        lambda drawn: [
            (partition, kind, T0 + unit * (10 + number + shift), late)
            for number, (partition, kind, shift, late) in enumerate(drawn)
        ]
    )


_few = st.tuples(st.integers(1, 3))
_trouble = st.tuples(st.booleans(), st.booleans())
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("come"), _few),
        st.tuples(st.just("pass"), st.tuples(st.integers(1, 5))),
        st.tuples(st.just("anew"), st.just(())),
        st.tuples(st.just("anew in trouble"), _trouble),
        st.tuples(st.just("crash"), st.just(())),
        st.tuples(st.just("trouble"), _trouble),
        st.tuples(st.just("append"), _few),
        st.tuples(st.just("read"), st.tuples(st.integers(0, PARTITIONS - 1), st.integers(1, 3))),
    ),
    min_size=10,
    max_size=30,
)


@examples(100)
@given(steps=_steps, records=st.sampled_from([SECOND, HOUR, DAY]).flatmap(_records))
def test_stragglers_and_crashes_leave_the_vectors_of_the_ideal_fold(
    steps: list[Step], records: list[Record]
) -> None:
    assert_ideal(play(steps, records), records)


COME: Step = ("come", (3,))
SEEN: Step = ("pass", (5,))
ANEW: Step = ("anew", ())
DAYS = [T0 + at * DAY for at in range(9)]
# Two live decisions and a later one, then older history: of the same card and the same merchant.
BESIDE: list[Record] = [
    (0, "decided", DAYS[4], 0),
    (1, "decided", DAYS[5], 0),
    (2, "decided", DAYS[6], 0),
    (0, "imported", DAYS[1], 0),
    (1, "imported", DAYS[2], 0),
    (2, "imported", DAYS[3], 0),
]


def test_history_older_than_live_decisions_makes_their_vectors_anew() -> None:
    before = play([], BESIDE[:3]).database.rows
    world = play([COME, SEEN, COME, SEEN, ANEW], BESIDE)
    assert all(world.database.rows[each] != vector for each, vector in before.items())
    assert_ideal(world, BESIDE)


def test_a_store_away_in_the_midst_of_it_puts_off_and_does_not_forget() -> None:
    for written in (0, 1):
        trouble: Step = ("anew in trouble", (written, 0))
        assert_ideal(play([COME, SEEN, COME, SEEN, SEEN, trouble], BESIDE), BESIDE)


def test_a_crash_before_or_in_the_midst_of_it_does_not_forget_either() -> None:
    ends: list[Step] = [("crash", ()), ("anew in trouble", (0, 1)), ("anew in trouble", (1, 1))]
    for end in ends:
        assert_ideal(play([COME, SEEN, COME, SEEN, SEEN, end], BESIDE), BESIDE)


def test_after_a_restart_what_is_made_before_an_old_straggler_is_read_is_made_anew() -> None:
    """Partition 0 has its straggler stored; read in part, it lets a new decision pass."""
    records: list[Record] = [
        (0, "decided", DAYS[8], 0),
        (1, "decided", DAYS[1], 0),
        (0, "imported", DAYS[2], 0),
        (1, "decided", DAYS[3], 0),
    ]
    steps = [COME, SEEN, SEEN, ANEW, SEEN, ("crash", ()), ("append", (1,))]
    steps += [("read", (0, 1)), ("read", (1, 2)), SEEN, SEEN]
    assert_ideal(play(steps, records), records)


def test_a_straggler_that_comes_in_the_midst_of_it_is_not_passed() -> None:
    """Much history, so that it takes many steps; then one that is older, and a crash."""
    live: list[Record] = [(0, "decided", DAYS[8], 0)]
    first: list[Record] = [(at % 3, "imported", DAYS[2] + at, 0) for at in range(90)]
    late: list[Record] = [(1, "imported", DAYS[1], 0)]
    steps: list[Step] = [("come", (1,)), SEEN, ("come", (90,)), SEEN, SEEN, ANEW]
    steps += [("come", (1,)), ("pass", (3,)), ("await anew", ()), ("crash", ())]
    records = live + first + late
    assert_ideal(play(steps, records), records)


def test_rows_that_wait_for_the_store_are_not_written_over_those_made_anew() -> None:
    """The first happened before the others and was known after them: they must not count it."""
    records = [(0, "decided", DAYS[8], 8 * DAY), *BESIDE[3:]]
    steps: list[Step] = [("come", (1,)), SEEN, COME, ("trouble", (0, 0)), ("pass", (3,))]
    steps += [ANEW, ("await anew", ())]
    assert_ideal(play(steps, records), records)


# Of partition 0 the last is folded while those before it wait for partition 1; the cards of the
# third, the fifth and the last are the same.
AHEAD: list[Record] = [
    (0, "fraud", T0 + 10 * HOUR, 0),
    (0, "imported", T0 + 5 * HOUR, 0),
    (0, "imported", T0 + HOUR, 0),
    (1, "imported", T0 + 2 * HOUR, 0),
    (1, "imported", T0 + 3 * HOUR, 0),
    (1, "imported", T0 + 11 * HOUR, 0),
    (1, "imported", T0 + 12 * HOUR, 0),
]
FOLDED_AHEAD: list[Step] = [("append", (7,)), ("read", (0, 3)), ("read", (1, 1)), SEEN]
MADE_ANEW: list[Step] = [ANEW, ("await anew", ())]


def test_what_was_folded_before_its_turn_is_not_folded_again_after_a_restart() -> None:
    again: list[Step] = [("crash", ()), ("read", (0, 3)), ("read", (1, 2)), SEEN]
    assert_ideal(play([*FOLDED_AHEAD, *again, *MADE_ANEW], AHEAD), AHEAD)


def test_nor_after_a_second_restart_before_it_was_read_again() -> None:
    first: list[Step] = [("crash", ()), ("read", (0, 2)), ("read", (1, 2)), SEEN]
    again: list[Step] = [("crash", ()), ("read", (0, 3)), ("read", (1, 2)), SEEN]
    assert_ideal(play([*FOLDED_AHEAD, *first, *again, *MADE_ANEW], AHEAD), AHEAD)
