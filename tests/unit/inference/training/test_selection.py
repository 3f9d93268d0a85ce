"""A model takes the features that tell something of rows it has not learnt from, and no others."""

from __future__ import annotations

from inference.training.fitting.fit import IN_MEMORY, FitSettings
from inference.training.selection import telling
from tests.builders.training_frames import NAMES, synthetic


def taken(rows: int) -> tuple[str, ...]:
    frame = synthetic(rows)
    numbers = telling(frame, 3, FitSettings(), lambda _done, _text: None, IN_MEMORY)
    return frame.of(numbers).names


def test_noise_is_left_out_and_what_tells_of_fraud_is_taken() -> None:
    assert set(NAMES[:3]) <= set(taken(30_000))
    assert "noise_a" not in taken(30_000)
    assert "noise_b" not in taken(30_000)


def test_where_frauds_are_too_few_to_judge_by_all_are_taken() -> None:
    assert taken(6_000) == NAMES
