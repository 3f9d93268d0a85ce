"""The file of parked labels against a plain list of them, and across restarts."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from commands.agents.parked_labels import Parked, ParkedLabels
from domain.times import DAY, MINUTE, SECOND


def label(name: str, offset: int, partition: int = 0) -> Parked:
    return Parked(name, partition, offset, f"letter {offset}", "sealed", 5)


def test_labels_and_positions_are_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "parked.sqlite"
    parked = ParkedLabels(path)
    assert parked.starts({0}) == {0: 0}
    parked.park([label("a", 3), label("b", 4), label("a", 1)], {0: 9}, now=100)
    parked.close()
    again = ParkedLabels(path)
    assert again.starts({0}) == {0: 9}
    assert again.of("a") == [label("a", 1), label("a", 3)]
    assert again.due(100, 9) == ["a", "b"]
    again.close()


def test_a_file_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "parked.sqlite"
    path.write_bytes(b"no database" * 1000)
    parked = ParkedLabels(path)
    assert parked.starts({0}) == {0: 0}
    parked.close()


def test_a_partition_that_left_is_forgotten_with_its_position() -> None:
    parked = ParkedLabels(None)
    parked.park([label("a", 1), label("b", 2), label("b", 1, 1)], {0: 3, 1: 2}, now=1)
    assert parked.starts({1}) == {1: 2}
    assert (parked.of("a"), parked.of("b")) == ([], [label("b", 1, 1)])
    assert parked.due(9, 9) == ["b"]
    assert parked.starts({0, 1}) == {0: 0, 1: 2}
    parked.close()


def test_pauses_grow_to_a_day_and_a_new_label_begins_them_again() -> None:
    parked, now, pauses = ParkedLabels(None), 7, []
    parked.park([label("a", 1)], {0: 2}, now)
    for _ in range(8):
        parked.put_off("a", now)
        due = parked.next_due()
        assert due is not None
        assert (parked.due(due - 1, 1), parked.due(due, 1)) == ([], ["a"])
        pauses.append((due - now) / SECOND)
        now = due
    assert pauses == [1, 8, 64, 512, 4096, 32768, 86400, 86400]
    parked.put_off("a", now, MINUTE)
    assert parked.next_due() == now + MINUTE
    parked.park([label("a", 2)], {0: 3}, now)
    assert parked.next_due() == now
    assert DAY == 86400 * SECOND
    parked.close()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=20), st.text("abc"))
def test_lookups_say_which_transactions_have_labels(
    steps: list[tuple[str, bool]], asked: str
) -> None:
    parked, held = ParkedLabels(None), list[Parked]()
    for offset, (name, is_new) in enumerate(steps):
        if is_new:
            held.append(label(name, offset))
            parked.park(held[-1:], {0: offset + 1}, offset)
        else:
            parked.remove([each for each in held if each.transaction_id == name][:1])
            held = [e for e in held if e not in [x for x in held if x.transaction_id == name][:1]]
        names = sorted({each.transaction_id for each in held})
        assert sorted(parked.waited_for(list("abc"))) == names
        assert parked.after("", 9) == names
        assert parked.after("a", 1) == [each for each in names if each > "a"][:1]
        for each in "abc":
            assert parked.of(each) == [x for x in held if x.transaction_id == each]
    assert set(parked.waited_for(sorted(set(asked)))) <= set(asked)
    parked.close()
