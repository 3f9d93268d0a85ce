"""Port of a model server: one model name on it, its versions and their predictions."""

from typing import Protocol

from inference.serving.graph import Matrix

SIGNATURE = "serving_default"
INPUT = "features"
OUTPUTS = ("score", "logit")
"""Of the exported model, in the order of the graph's columns (inference.serving.graph)."""


class ModelServer(Protocol):
    """Thread-safe; timeouts are seconds.

    `state` and `predict` raise UnavailableError where there is no answer in time or that version is
    not served, and IntegrityError where the model could not have given the answer.
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

    Exact as a JSON number. A greater number is not a newer model: servers must serve all versions.
    """
    return int(model_hash[:12], 16)
