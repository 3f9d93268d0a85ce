"""Catches of a model's thresholds: share of traffic, precision and recall, with intervals."""

import numpy as np

from domain.events import Thresholds
from inference.artefacts.reference import Catch, Catches
from inference.evaluation.costs import threshold_shares
from inference.frame.frame import Floats, Frame
from inference.proportions import proportion


def catches_of(frame: Frame, scores: Floats, thresholds: Thresholds) -> Catches:
    """Of rows that the model has not learnt from, with their scores [n].

    Confirmed genuine payments stand for all that are not fraud. Payments that were declined before
    are in the shares of traffic alone: they are censored. Intervals take the payments of one card
    (else one customer) together.
    """
    about = frame.payments
    kept = np.ones(len(frame), bool) if about is None else ~about.declined
    holders = _holders(frame)
    fraud, weights = kept & (frame.labels == 1), frame.row_weights()
    shares = threshold_shares(scores, frame.stands_for, thresholds)

    def catch(share: float, reached: np.ndarray, among: np.ndarray) -> Catch:
        """Of the rows `reached` of those `among`."""
        frauds, looked = fraud & among, reached & among & kept
        return Catch(
            share,
            proportion(fraud[looked], weights[looked], holders[looked]),
            proportion(reached[frauds], frame.stands_for[frauds], holders[frauds]),
        )

    everything = np.ones(len(frame), bool)
    below = scores < thresholds.decline
    referred = shares["review"] + shares["step_up"]
    return Catches(
        decline=catch(shares["decline"], ~below, everything),
        step_up=catch(shares["step_up"], scores >= thresholds.step_up, everything),
        review=catch(shares["review"], scores >= thresholds.review, everything),
        referred=catch(referred, scores >= thresholds.review, below),
    )


def _holders(frame: Frame) -> np.ndarray:
    """Cards, else customers; a payment that names neither stands alone."""
    alone = -1 - np.arange(len(frame))
    if frame.payments is None:
        return alone
    return np.where(frame.payments.holders == 0, alone, frame.payments.holders)
