"""Scores of models beside the columns of a backtest, as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from operations.backtest.policies.past import Floats


def store_scores(scores: Floats, together: bool, model_hash: str, folder: Path) -> None:
    """Of one model, of all transactions in their order. Raises OSError."""
    path = _scores(folder, model_hash, together)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        np.save(file, scores, allow_pickle=False)
    draft.rename(path)


def stored_scores(model_hash: str, folder: Path) -> tuple[Floats, bool] | None:
    """With whether many were scored at once; None where that model had not scored all."""
    for together in (True, False):
        path = _scores(folder, model_hash, together)
        if path.exists():
            return np.load(path), together
    return None


def _scores(folder: Path, model_hash: str, together: bool) -> Path:
    return folder / f"scores-{model_hash}-{'together' if together else 'each'}.npy"
