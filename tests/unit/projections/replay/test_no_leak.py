"""No leaks in training sets: nothing is used that was known after the cut, or after the row."""

from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.features import CATALOGUE, FeatureSet
from domain.features.payments import UNLABELLED
from projections.replay.dataset import Dataset, dataset
from tests.builders.feature_streams import CATALOGUE_REACH, SMALL, T0, Placed, examples, logs
from tests.unit.projections.replay.histories import _flipped, _known, histories, place, table

EVER = 2**62


def trained(history: Iterable[Placed], at: int, features: FeatureSet = SMALL) -> Dataset:
    return dataset(table(history), features, as_known_at=at, threads=1)


def vectors_of(made: Dataset) -> dict[str, bytes]:
    """The bits of each transaction's vector."""
    ids = made.transaction_ids.tolist()
    return dict(zip(ids, (row.tobytes() for row in made.values), strict=True))


def all_of(made: Dataset) -> list[Any]:
    """Every bit of a set that is written."""
    columns = (made.times.tolist(), made.known.tolist(), made.labels.tolist())
    return [made.transaction_ids.tolist(), *columns, made.values.tobytes()]


@st.composite
def moments(draw: st.DrawFn, history: list[Placed]) -> int:
    """Mostly those at which something became known, and a microsecond beside them."""
    known = [placed.event.known_time for placed in history]
    return draw(st.sampled_from(known or [T0])) + draw(st.sampled_from([-1, 0, 1]))


def assert_blind_to_the_future(data: st.DataObject, history: list[Placed], of: FeatureSet) -> None:
    at = data.draw(moments(history))
    past = [placed for placed in history if placed.event.known_time <= at]
    # Read in another order too, which numbers the entities otherwise.
    by_partition = sorted(history, key=lambda placed: (placed.partition, placed.offset))
    assert all_of(trained(by_partition, at, of)) == all_of(trained(past, at, of))
    assert len(trained(past, at, of)) == sum(placed.event.kind == "transaction" for placed in past)


@examples(100)
@given(st.data(), histories())
def test_what_is_known_later_changes_no_bit(data: st.DataObject, history: list[Placed]) -> None:
    assert_blind_to_the_future(data, history, SMALL)


@examples(40)
@given(st.data(), histories(CATALOGUE_REACH, 30))
def test_what_is_known_after_the_moment_changes_no_bit_of_the_catalogue(
    data: st.DataObject, history: list[Placed]
) -> None:
    assert_blind_to_the_future(data, history, CATALOGUE)


def _otherwise(draw: st.DrawFn, placed: Placed, strangers: list[Placed]) -> list[Placed]:
    """Gone, of another amount or label, or another fact altogether at the same place."""
    change = draw(st.sampled_from(["gone", "flipped", "stranger"]))
    if change == "flipped":
        return [_flipped(placed)]
    if change == "gone" or not strangers:
        return []
    event = draw(st.sampled_from(strangers)).event
    event = event._replace(transaction_id=f"other {event.transaction_id} {placed.offset}")
    return [_known(placed._replace(event=event), placed.event.known_time)]


@st.composite
def rewritten(draw: st.DrawFn, history: list[Placed], after: Placed) -> list[Placed]:
    """`history` with everything changed that is greater than `after`."""
    strangers = [placed for placed in draw(logs()) if placed.event.time <= EVER]
    changed: list[Placed] = []
    for placed in history:
        later = place(placed) > place(after)
        changed += _otherwise(draw, placed, strangers) if later else [placed]
    return changed


def assert_blind_to_what_follows(
    data: st.DataObject, history: list[Placed], of: FeatureSet
) -> None:
    decided = [placed for placed in history if placed.event.kind == "transaction"]
    if not decided:
        return
    row = data.draw(st.sampled_from(decided))
    before = vectors_of(trained(history, EVER, of))
    after = vectors_of(trained(data.draw(rewritten(history, row)), EVER, of))
    for placed in decided:
        if place(placed) <= place(row):
            name = placed.event.transaction_id
            assert after[name] == before[name]


@examples(100)
@given(st.data(), histories())
def test_later_rows_change_no_bit_of_a_vector(data: st.DataObject, history: list[Placed]) -> None:
    assert_blind_to_what_follows(data, history, SMALL)


@examples(40)
@given(st.data(), histories(CATALOGUE_REACH, 30))
def test_what_follows_a_row_changes_no_bit_of_its_vector_in_the_catalogue(
    data: st.DataObject, history: list[Placed]
) -> None:
    assert_blind_to_what_follows(data, history, CATALOGUE)


@examples(60)
@given(histories())
def test_its_own_label_changes_no_bit_of_a_vector(history: list[Placed]) -> None:
    given_out = vectors_of(trained(history, EVER))
    labels = [placed for placed in history if placed.event.label is not None]
    for name in {placed.event.transaction_id for placed in labels}:
        own = [placed for placed in labels if placed.event.transaction_id == name]
        unlabelled = [placed for placed in history if placed not in own]
        flipped = [_flipped(placed) if placed in own else placed for placed in history]
        for other in (unlabelled, flipped):
            assert vectors_of(trained(other, EVER))[name] == given_out[name]


def last_label(history: list[Placed], name: str, at: int) -> int:
    """Straight from the rule: the last in the log's order that is known by then."""
    labels = [
        (placed.offset, placed.event.label)
        for placed in history
        if placed.event.transaction_id == name
        and placed.event.label is not None
        and placed.event.known_time <= at
    ]
    return max(labels)[1] if labels else UNLABELLED


@examples(150)
@given(st.data(), histories())
def test_a_label_is_the_last_known_by_then(data: st.DataObject, history: list[Placed]) -> None:
    at = data.draw(moments(history))
    made = trained(history, at)
    for name, label in zip(made.transaction_ids.tolist(), made.labels.tolist(), strict=True):
        assert label == last_label(history, name, at)
