"""Owns what a scorer asks of a model server, whatever the transport; the model's name there too."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from domain.errors import IntegrityError, UnavailableError
from inference.serving.graph import Matrix

INPUT = "features"
OUTPUTS = ("score", "logit")  # the columns of inference.serving.graph, by name
SIGNATURE = "serving_default"


class ModelServer(Protocol):
    """One model name on one server. Thread-safe; timeouts are seconds.

    Both raise UnavailableError where there is no answer in time or that version is not served, and
    IntegrityError where the answer is none that the model could give.
    """

    @property
    def kind(self) -> str: ...

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        ...

    @property
    def model(self) -> str: ...

    def state(self, version: int, timeout: float) -> str:
        """`AVAILABLE` where that version can be asked."""
        ...

    def predict(self, version: int, rows: Matrix, timeout: float) -> Matrix:
        """[n, 2] score and logit of `rows` [n, d]; NaN is unknown."""
        ...

    def close(self) -> None: ...


def served_version(model_hash: str) -> int:
    """The number under which a model is served: the first 48 bits of its hash.

    Exact as a JSON number. It says nothing of age: servers are to serve all versions.
    """
    return int(model_hash[:12], 16)


def columns(score: Matrix, logit: Matrix, rows: Matrix) -> Matrix:
    """[n, 2] of both outputs. Raises IntegrityError where they do not fit the rows asked."""
    if not score.shape == logit.shape == (len(rows),):
        raise IntegrityError(
            f"the server answered {list(score.shape)} scores and {list(logit.shape)} logits for"
            f" {len(rows)} rows: what it serves is no export of `retrace models export`"
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
