"""The past of a backtest as files: its features, fields and labels, and scores of models."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from domain.errors import IntegrityError
from domain.features import CATALOGUE, FeatureSet
from domain.features.payments import Payments
from operations.backtest.policies.past import Floats, Past, ScoreVectors
from projections.replay.dataset import Dataset
from projections.replay.rules import Column
from projections.replay.transactions import PastTransactions, Texts

_MADE = ("at", "times", "known", "labels", "values")
_PAYMENTS = tuple(field.name for field in fields(Payments))
_CHANCES = "propensities"
_IDS, _TEXTS, _CODES = "ids.parquet", "texts.json", "codes.npy"


def store(past: Past, folder: Path) -> None:
    """Of features of the catalogue; without scores. Raises OSError."""
    made, transactions = past.made, past.transactions
    arrays = {_CHANCES: past.propensities}
    arrays |= {name: getattr(made, name) for name in _MADE}
    arrays |= {name: getattr(made.payments, name) for name in _PAYMENTS}
    for name, column in transactions.numbers.items():
        arrays |= {f"{name}.number": column.values, f"{name}.known": column.known}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    np.save(folder / _CODES, np.stack([each.codes for each in transactions.texts.values()]))
    texts = {name: list(each.values) for name, each in transactions.texts.items()}
    names = list(made.features.names)
    (folder / _TEXTS).write_text(json.dumps([texts, list(transactions.numbers), names]))
    pq.write_table(pa.table({"id": pa.array(made.transaction_ids, pa.string())}), folder / _IDS)


def stored(folder: Path, score: ScoreVectors) -> Past:
    """Its arrays are read from the files as they are used. Raises IntegrityError."""
    try:
        texts, numbers, names = json.loads((folder / _TEXTS).read_text())
        codes = _mapped(folder / _CODES)
        ids = pq.read_table(folder / _IDS)["id"].to_numpy(zero_copy_only=False)
        made = {name: _mapped(folder / f"{name}.npy") for name in _MADE}
        payments = {name: _mapped(folder / f"{name}.npy") for name in _PAYMENTS}
        features = FeatureSet(each for each in CATALOGUE.features if each.name in names)
        return Past(
            Dataset(features, transaction_ids=ids, payments=Payments(**payments), **made),
            PastTransactions(
                {name: Texts(codes[n], values) for n, (name, values) in enumerate(texts.items())},
                {
                    name: Column(
                        _mapped(folder / f"{name}.number.npy"),
                        _mapped(folder / f"{name}.known.npy"),
                    )
                    for name in numbers
                },
            ),
            score,
            propensities=_mapped(folder / f"{_CHANCES}.npy"),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{folder} holds no whole columns ({error}): remove it") from error


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


def _mapped(path: Path) -> Any:
    return np.load(path, mmap_mode="r")
