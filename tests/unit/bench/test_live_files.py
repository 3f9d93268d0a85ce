"""What the live benchmarks hand to others: the file of an import, and the events of peers."""

from pathlib import Path

import pyarrow.parquet

from bench.live.ingest import written
from bench.live.peers.events import PeerEvent, events_between
from bench.live.peers.faust_tables import merchant_of
from domain.times import from_rfc3339
from eventlog.in_memory import InMemoryEventLog
from host.clock import now_us
from tests.fakes.deciding import deciding_process, score


def test_the_file_of_an_import_has_about_so_many_rows_with_labels_and_none_of_the_future(
    tmp_path: Path,
) -> None:
    file = tmp_path / "payments.parquet"
    written(file, 3_000, seed=1)
    table = pyarrow.parquet.read_table(file)
    assert 2_000 < len(table) < 4_000
    assert 0 < sum(table["fraud"].to_pylist()) < 300
    assert max(each.timestamp() for each in table["timestamp"].to_pylist()) * 1e6 < now_us()


async def test_peers_get_each_decided_payment_that_names_payer_and_merchant() -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        await score(context, transaction_id="a", customer_id="c1", merchant_id="m1")
        await score(context, transaction_id="b", customer_id="c1")
        found = list(events_between(log, {}, dict.fromkeys(range(8), 1 << 40)))
    (event,) = found
    at = from_rfc3339("2023-10-01T12:34:56Z")
    assert (event.payer, event.merchant, event.at, event.sent) == ("c1", "m1", at, 0)
    assert event.amount > 0


def test_faust_sends_an_event_on_by_its_merchant() -> None:
    import msgspec

    assert merchant_of(msgspec.json.encode(PeerEvent("c1", "m1", 5, 7))) == "m1"
