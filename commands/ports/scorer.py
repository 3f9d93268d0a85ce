"""Port of the model that scores."""

from collections.abc import Callable, Sequence
from typing import Protocol

from domain.features import Inputs
from domain.policy.score import Score
from domain.transactions import Transaction


class Scorer(Protocol):
    """One immutable model. The same input gives the same bits on an equal `fingerprint`."""

    @property
    def model_id(self) -> str: ...

    @property
    def model_hash(self) -> str:
        """SHA-256 of the artefact."""
        ...

    @property
    def inputs(self) -> Inputs:
        """The features that it asks for."""
        ...

    @property
    def fingerprint(self) -> str:
        """What the score bits depend on: kernel, library and CPU, or the server and its model."""
        ...

    @property
    def blocking(self) -> bool:
        """True where `score` waits for a server: then it runs in a thread, and not for long."""
        ...

    def score(self, transaction: Transaction, values: Sequence[float | None]) -> Score:
        """`values` are those that `inputs` names, in that order.

        Raises UnavailableError where it needs a server that does not answer in time; it logs that
        itself, at intervals.
        """
        ...


class ModelScorer(Scorer, Protocol):
    """A scorer that also gives scores without reasons, as backtests and shadows need them."""

    def value(self, values: Sequence[float | None]) -> float:
        """The score alone, with the bits that `score` gives."""
        ...


LoadModel = Callable[[str], ModelScorer]
"""Loads and verifies a model by its hash.

Raises NotFoundError, IntegrityError, or UnavailableError of a model server: a model that is not
verified never serves.
"""
