"""What thresholds catch is weighted to traffic, without payments that were declined before."""

from dataclasses import replace

import numpy as np
import pytest

from domain.features.payments import Payments
from inference.evaluation.catches import catches_of
from tests.builders.artefacts import THRESHOLDS, frame

SCORES = np.array([0.9, 0.9, 0.25, 0.15, 0.15, 0.05, 0.05, 0.05, 0.05, 0.05])
LABELS = np.array([1, 1, 1, 0, 1, 1, 0, 0, 0, 0], float)


def test_rows_count_as_often_as_they_stand_for() -> None:
    rows = frame(np.zeros(10), LABELS, np.where(LABELS == 1, 1.0, 3.0))
    found = catches_of(rows, SCORES, THRESHOLDS)
    assert found.decline.share_of_traffic == pytest.approx(2 / 20)
    assert found.review.recall is not None
    assert found.review.recall.share == pytest.approx(4 / 5)
    assert found.review.precision is not None
    assert found.review.precision.share == pytest.approx(4 / 7)
    assert found.referred.recall is not None
    assert found.referred.recall.share == pytest.approx(2 / 3)


def test_payments_of_one_card_count_as_fewer_and_declined_ones_not_at_all() -> None:
    alone = frame(np.zeros(10), LABELS)
    holders = np.array([1, 1, 2, 3, 2, 4, 0, 0, 0, 0])
    declined = np.arange(10) == 0
    about = Payments(holders, np.ones(10, int), declined, np.zeros((10, 4), np.int8))
    before = catches_of(alone, SCORES, THRESHOLDS)
    after = catches_of(replace(alone, payments=about), SCORES, THRESHOLDS)
    assert before.referred.recall is not None
    assert after.referred.recall is not None
    assert (before.referred.recall.rows, after.referred.recall.rows) == pytest.approx((3, 9 / 4))
    assert before.decline.recall is not None
    assert after.decline.recall is not None
    assert (before.decline.recall.share, after.decline.recall.share) == (2 / 5, 1 / 4)
    assert before.decline.share_of_traffic == after.decline.share_of_traffic == 0.2
