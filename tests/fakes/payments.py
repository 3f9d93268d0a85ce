"""A made history, one payment in twenty fraud: most are large, and any model finds these."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

START = datetime(2025, 3, 1, tzinfo=UTC)
APART = timedelta(minutes=20)
TAUGHT = 3_000
"""As many as a model learns from in seconds, over six weeks."""


def write_payments(path: Path, prefix: str, rows: int) -> list[str]:
    """Writes a CSV file of payments from START on; the options by which `ingest` takes it.

    Ids begin with `prefix`. A label is known a week after its payment.
    """
    fraud = [int(n % 20 == 7) for n in range(rows)]
    # A model that finds all frauds is refused as too good: every sixth looks like any payment.
    large = [fraud[n] and n // 20 % 6 for n in range(rows)]
    # By chance, or what customers did before tells when their next fraud comes.
    random = np.random.default_rng(3)
    who, shop = random.integers(0, 40, rows), random.integers(0, 17, rows)
    pd.DataFrame(
        {
            "TX": [f"{prefix}-{n}" for n in range(rows)],
            "AT": [(START + APART * n).isoformat() for n in range(rows)],
            "AMOUNT": [900.0 + n % 91 if large[n] else 5.0 + n % 83 for n in range(rows)],
            "WHO": [f"{prefix}-customer-{n}" for n in who],
            "SHOP": [f"{prefix}-shop-{n}" for n in shop],
            "FRAUD": fraud,
        }
    ).to_csv(path, index=False)
    columns = {
        "transaction_id": "TX",
        "timestamp": "AT",
        "amount": "AMOUNT",
        "customer_id": "WHO",
        "merchant_id": "SHOP",
    }
    maps = [part for name, column in columns.items() for part in ("--map", f"{name}={column}")]
    return [*maps, "--label", "FRAUD", "--label-delay", "7d"]
