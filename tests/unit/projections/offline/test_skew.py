"""Training-serving skew: counted by feature, and by the age of what the reader had missed."""

import numpy as np

from domain.features import CATALOGUE, Entity, Held
from domain.times import SECOND
from projections.offline.skew import LONGER, NOTHING_MISSED, ServedVector, Skew, Tallies, Tally

ANN = (Entity.PAYER, "ann")
BLANK: list[float | None] = [None] * len(CATALOGUE)
COUNT = CATALOGUE.names.index("payer_count_1d")


def served(versions: dict[int, int], feature_set: str = CATALOGUE.hash) -> ServedVector:
    return ServedVector(feature_set, BLANK, {Entity.PAYER: Held(versions)})


def with_count(value: float | None) -> list[float | None]:
    return [value if at == COUNT else None for at in range(len(CATALOGUE))]


def counted(skew: Skew, *decided: tuple[int, ServedVector, list[float | None]]) -> Tallies:
    tallies: Tallies = {}
    found = [
        skew.compare(known, {Entity.PAYER: "ann"}, vector, np.array(ideal, dtype=np.float64))
        for known, vector, ideal in decided
    ]
    skew.count([each for each in found if each is not None], tallies)
    return tallies


def test_a_reader_that_saw_everything_has_missed_nothing() -> None:
    skew = Skew(CATALOGUE)
    skew.folded(ANN, 3, 10, known=SECOND)
    tallies = counted(skew, (2 * SECOND, served({3: 10}), BLANK))
    assert tallies[("payer_count_1d", NOTHING_MISSED)] == Tally(1, 0)


def test_a_missed_event_counts_under_its_age_and_only_for_its_entity() -> None:
    skew = Skew(CATALOGUE)
    skew.folded(ANN, 3, 10, known=SECOND)
    tallies = counted(
        skew,
        (SECOND + 5, served({3: 9}), with_count(1.0)),
        (200 * SECOND, served({}), with_count(1.0)),
    )
    assert tallies[("payer_count_1d", "100ms")] == Tally(1, 1)
    assert tallies[("payer_count_1d", LONGER)] == Tally(1, 1)
    assert tallies[("amount", NOTHING_MISSED)] == Tally(2, 0)
    assert tallies[("payer_count_7d", "100ms")] == Tally(1, 0)


def test_what_was_held_beside_the_versions_was_not_missed() -> None:
    skew = Skew(CATALOGUE)
    skew.folded(ANN, 3, 10, known=SECOND)
    beside = ServedVector(CATALOGUE.hash, BLANK, {Entity.PAYER: Held({3: 7}, ((3, 10),))})
    tallies = counted(skew, (SECOND + 5, beside, BLANK))
    assert tallies[("payer_count_1d", NOTHING_MISSED)] == Tally(1, 0)


def test_decisions_with_other_features_are_left_out() -> None:
    skew = Skew(CATALOGUE)
    assert counted(skew, (1, served({}, "other"), BLANK)) == {}


def test_bits_are_compared_and_unknown_is_like_unknown() -> None:
    skew = Skew(CATALOGUE)
    values = with_count(0.0)
    vector = ServedVector(CATALOGUE.hash, values, {})
    for ideal, different in ((0.0, 0), (-0.0, 1), (None, 1)):
        tallies = counted(skew, (SECOND, vector, with_count(ideal)))
        assert tallies[("payer_count_1d", NOTHING_MISSED)] == Tally(1, different)
        assert tallies[("amount", NOTHING_MISSED)] == Tally(1, 0)
