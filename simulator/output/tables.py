"""Arrow tables of simulated transactions."""

import numpy as np
import pyarrow as pa

from simulator.batch import Batch
from simulator.population.geography import COUNTRY_CURRENCIES

TRANSACTION_SCHEMA = pa.schema(
    [
        ("transaction_id", pa.string()),
        ("timestamp", pa.timestamp("us", tz="UTC")),
        ("amount", pa.int64()),  # minor units
        ("currency", pa.string()),
        ("card_id", pa.string()),
        ("customer_id", pa.string()),
        ("merchant_id", pa.string()),
        ("mcc", pa.string()),
        ("device_id", pa.string()),
        ("ip", pa.string()),
        ("country", pa.string()),
        ("lat", pa.float64()),
        ("lon", pa.float64()),
        ("channel", pa.string()),
        ("attributes", pa.string()),  # a JSON object
        ("fraud", pa.int8()),
        ("fraud_kind", pa.string()),
    ]
)

_AMOUNT = TRANSACTION_SCHEMA.get_field_index("amount")
_PER_MAJOR = np.array([10.0**currency.exponent for currency in COUNTRY_CURRENCIES])


def transaction_table(batch: Batch) -> pa.Table:
    """The canonical columns, then `fraud` (0 or 1) and `fraud_kind`; amounts in minor units."""
    columns = batch.columns
    arrays = {
        **batch.texts(),
        "timestamp": columns.timestamp,
        "amount": columns.amount,
        "lat": columns.lat,
        "lon": columns.lon,
        "attributes": [batch.names.attributes_json[card] for card in columns.card.tolist()],
        "fraud": (columns.kind > 0).astype(np.int8),
    }
    return pa.table({f.name: pa.array(arrays[f.name], type=f.type) for f in TRANSACTION_SCHEMA})


def file_table(batch: Batch, truth: bool) -> pa.Table:
    """As files hold it: amounts in major units, and of the truth ``fraud`` alone, or nothing.

    An amount is the double nearest to its decimal, so that its shortest text is exact.
    """
    major = pa.array(batch.columns.amount / _PER_MAJOR[batch.columns.country])
    table = transaction_table(batch).set_column(_AMOUNT, "amount", major)
    return table.drop_columns(["fraud_kind"] if truth else ["fraud", "fraud_kind"])
