"""Answers of TensorFlow Serving: their form checked, and the errors they mean."""

import numpy as np

from domain.errors import IntegrityError, UnavailableError
from inference.serving.graph import Matrix


def columns(score: Matrix, logit: Matrix, rows: Matrix) -> Matrix:
    """[n, 2] of both outputs. Raises IntegrityError where they do not fit the rows asked."""
    if not score.shape == logit.shape == (len(rows),):
        raise IntegrityError(
            f"the server answered {list(score.shape)} scores and {list(logit.shape)} logits for"
            f" {len(rows)} rows: the model it serves was not written by `retrace models export`"
        )
    return np.stack([score, logit], axis=1)


def away(place: str, why: str) -> UnavailableError:
    return UnavailableError(f"tf-serving {place}", why)


def not_served(place: str, model: str, version: int, why: str) -> UnavailableError:
    return away(
        place,
        f"does not serve version {version} of model {model!r} ({why}): export it into the server's"
        " folder with `retrace models export`, and let it serve all versions",
    )
