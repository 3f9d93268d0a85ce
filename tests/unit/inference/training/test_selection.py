"""Feature selection keeps the features that help on unseen rows, and no others."""

from inference.training.fitting.fit import IN_MEMORY, FitSettings
from inference.training.selection import informative
from tests.builders.training_frames import NAMES, synthetic


def taken(rows: int) -> tuple[str, ...]:
    frame = synthetic(rows)
    numbers = informative(frame, 3, FitSettings(), lambda _done, _text: None, IN_MEMORY)
    return frame.of(numbers).names


def test_noise_is_left_out_and_informative_features_are_kept() -> None:
    assert set(NAMES[:3]) <= set(taken(30_000))
    assert "noise_a" not in taken(30_000)
    assert "noise_b" not in taken(30_000)


def test_with_too_few_frauds_all_features_are_kept() -> None:
    assert taken(6_000) == NAMES
