"""A made history whose frauds any model finds: the large payments, one in twenty."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

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
    pd.DataFrame(
        {
            "TX": [f"{prefix}-{n}" for n in range(rows)],
            "AT": [(START + APART * n).isoformat() for n in range(rows)],
            "AMOUNT": [900.0 + n % 91 if fraud[n] else 5.0 + n % 83 for n in range(rows)],
            "WHO": [f"{prefix}-customer-{n % 40}" for n in range(rows)],
            "SHOP": [f"{prefix}-shop-{n % 17}" for n in range(rows)],
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
