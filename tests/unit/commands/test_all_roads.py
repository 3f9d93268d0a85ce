"""The same payload by every road is the same transaction with the same digest."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.intake.payload import parse_payload
from domain.errors import InvalidTransactionError
from domain.events import TransactionImported
from domain.times import from_rfc3339
from tests.builders.import_files import cleaner, run_import
from tests.builders.roads import Payload, as_json, payloads, write_lines, write_parquet, write_table

NOW = from_rfc3339("2023-10-01T13:00:00Z")
TAKEN = 16


def by_api(sent: Payload) -> tuple[str, str] | None:
    """As HTTP and the inbox clean it: id, and digest and fields; None where it is refused."""
    taken, _ = parse_payload(as_json(sent))
    try:
        transaction = cleaner().clean(taken, NOW)
    except InvalidTransactionError:
        return None
    return transaction.transaction_id, told(transaction, cleaner().digest(transaction))


def by_file(path: Path) -> Mapping[str, str]:
    events = run_import(path, now=NOW).of(TransactionImported)
    return {e.subject: told(e.data.transaction, e.data.digest) for e in events}


def told(transaction: Any, digest: str) -> str:
    fields = {name: getattr(transaction, name) for name in transaction.__slots__}
    return f"{digest} {json.dumps(fields, sort_keys=True)}"


@settings(max_examples=12)
@given(st.integers(0, 10**6))
def test_files_give_what_the_api_gives(seed: int) -> None:
    sent = payloads(TAKEN, seed)
    expected = dict(filter(None, map(by_api, sent)))
    with tempfile.TemporaryDirectory() as name:
        for write in (write_lines, write_table, write_parquet):
            found = by_file(write(Path(name), sent))
            assert dict(found) == expected, write.__name__
