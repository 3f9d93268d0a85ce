"""Labelled payments of simulated populations, as files for bench.stability.

    python -m bench.populations OUT.parquet --seed 11
    python -m bench.populations OUT.parquet --new-kind account_takeover --since 2026-03-02

The columns have the names of the canonical fields; `fraud` is the label.
"""

from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import typer

from domain.errors import InvalidInputError
from domain.times import from_rfc3339
from simulator.frauds import FRAUD_KINDS
from simulator.output.tables import file_table, transaction_table
from simulator.settings import SimulationSettings
from simulator.simulation import Simulation


def main(
    out: Path,
    seed: int = 11,
    days: int = 80,
    per_day: float = 4_000.0,
    customers: int = 2_000,
    merchants: int = 300,
    new_kind: Annotated[str | None, typer.Option(help="A kind of fraud that begins late.")] = None,
    since: Annotated[str | None, typer.Option(metavar="DAY", help="Its first day, UTC.")] = None,
) -> None:
    if new_kind is not None and new_kind not in (known := [kind.name for kind in FRAUD_KINDS]):
        raise InvalidInputError("--new-kind", f"expected one of {', '.join(known)}")
    settings = SimulationSettings(
        seed=seed, per_day=per_day, customers=customers, merchants=merchants
    )
    begins = from_rfc3339(f"{since}T00:00:00Z") if since else 0
    parts = []
    for day in Simulation(settings).days(days):
        table, kinds = file_table(day.whole(), True), transaction_table(day.whole())["fraud_kind"]
        if new_kind is not None:
            early = pc.less(table["timestamp"], pa.scalar(begins, table["timestamp"].type))
            its = pc.fill_null(pc.equal(kinds, new_kind), False)
            table = table.filter(pc.invert(pc.and_(its, early)))
        parts.append(table)
    pq.write_table(pa.concat_tables(parts), out)


if __name__ == "__main__":
    typer.run(main)
