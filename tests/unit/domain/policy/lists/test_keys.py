"""Keys in sorted bytes give what a dictionary would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policy.lists import keys
from domain.policy.lists.keys import NO_KEYS, sorted_run, without_ends

texts = st.text("abc", max_size=3)
entries = st.dictionaries(texts, st.integers(1, 2**63 - 1), max_size=12)
changes = st.lists(st.tuples(entries, st.booleans()), max_size=6)


@pytest.mark.parametrize("few", [0, 4096])
@given(changes, texts)
def test_after_any_changes_an_entry_ends_when_a_dictionary_says(
    few: int, made: list[tuple[dict[str, int], bool]], sought: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # With 0 each change is merged at once, with more they are kept apart.
        patch.setattr(keys, "_FEW", few)
        expected: dict[str, int] = {}
        found = NO_KEYS
        for given_entries, removes in made:
            half = len(given_entries) // 2
            items = list(given_entries.items())
            runs = [sorted_run(items[:half]), sorted_run(items[half:])]
            before = found
            found = before.changed([without_ends(run) if removes else run for run in runs])
            assert all(before.end(text) == expected.get(text, 0) for text in (sought, *expected))
            for text, end in items:
                expected[text] = end
                if removes:
                    del expected[text]
        # Once merged, nothing is left of what was removed.
        assert found.changes or len(found.base) == 24 * len(expected)
        for text in {sought, *expected}:
            assert found.end(text) == expected.get(text, 0)


def test_an_entry_takes_24_bytes_and_one_more_of_many_copies_few() -> None:
    many = NO_KEYS.changed([sorted_run((f"t-{n}", 5) for n in range(20_000))])
    assert (len(many.base), len(many.changes)) == (20_000 * 24, 0)
    more = many.changed([sorted_run([("one", 7)])])
    assert more.base is many.base
    assert (len(more.changes), more.end("one"), more.end("t-9")) == (24, 7, 5)
