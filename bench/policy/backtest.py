"""Benchmark of a backtest of a whole policy: features, model, thirty rules, figures.

    ./retrace up && python -m bench.policy.backtest FILE.parquet --map transaction_id=ID ...

The file lies in an archive as imported history with its labels, each known seven days after
its payment. A candidate of thirty rules of five terms and the model of a new installation decides
all of it, against a baseline of the same model without rules. Times are wall and processor time of
each step, in one process of two threads. Needs no server but the folder of models.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from bench.machine import peak_gib, write
from bench.policy.rules import made as rules_made
from bench.policy.rules import of_five_terms
from domain.events import (
    Envelope,
    TransactionImported,
    TransactionLabelled,
    label_event_id,
    transaction_event_id,
)
from domain.features import CATALOGUE
from domain.features.engine import warm_up
from domain.policy.lists.published import NO_LISTS
from domain.policy.rules.ruling import RuleSet
from domain.times import DAY
from domain.transactions import Transaction
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import History
from eventlog.archive.layout import Piece
from eventlog.archive.writing import ArchivedRecord, table_of
from eventlog.codec import encode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from inference.artefacts.store import Artefact
from operations.backtest.policies.deciding import decide
from operations.backtest.policies.figures import Load, compared, of_policy
from operations.backtest.policies.past import Past, by_artefacts, read_past
from operations.backtest.policies.policy import ALWAYS, Policy, Setting
from operations.models.default_model import default_model
from runtime.composition.models import artefacts_of, rule_language
from runtime.settings import settings_from_environment

RULES, AT_ONCE = 30, 50_000
END = 1 << 60


def main(
    file: Path,
    mapping: Annotated[list[str], typer.Option("--map", metavar="FIELD=COLUMN")],
    label: Annotated[str, typer.Option(metavar="COLUMN")],
) -> None:
    columns = dict(each.split("=", 1) for each in mapping)
    artefact = default_model(artefacts_of(settings_from_environment()), lambda *_: None)
    warm_up(CATALOGUE)
    with tempfile.TemporaryDirectory() as made:
        folder = ArchiveFolder(made, TRANSACTIONS)
        number = _archive(file, columns, label, folder)
        found = _measured(folder, number, artefact)
    write("backtest", {**found, "peak_gib": peak_gib()})


def _measured(folder: ArchiveFolder, records: int, artefact: Artefact) -> dict[str, Any]:
    log = InMemoryEventLog()
    ends = [records, *(0 for _ in range(TRANSACTIONS.partitions - 1))]
    history = History(log, folder, ends)
    steps: dict[str, dict[str, float]] = {}
    score = by_artefacts(lambda _: artefact)
    language, rules = rule_language(), rules_made(of_five_terms)[:RULES]
    manifest = artefact.manifest
    plain = Setting(artefact.model_hash, manifest.thresholds, None, NO_LISTS)
    ruled = Setting(artefact.model_hash, manifest.thresholds, RuleSet(0, tuple(rules)), NO_LISTS)
    base, tried = (Policy(n, ((ALWAYS, s),)) for n, s in (("base", plain), ("tried", ruled)))
    with _timed(steps, "features_and_fields"):
        past = read_past(history, 0, END, END, (), score, _nothing, _nothing)
    with _timed(steps, "model"):
        past.scores(artefact.model_hash, np.arange(len(past)))
    with _timed(steps, "rules_and_outcomes"):
        made = decide(past, tried, language)
    with _timed(steps, "figures"):
        of_policy(past, made, Load())
        compared(past, decide(past, base, language), made)
    log.close()
    return {
        "transactions": len(past),
        "features": len(CATALOGUE),
        "rules": RULES,
        "model_many_at_once": not past.one_by_one,
        "steps": steps,
        **_rates(past, steps),
    }


def _rates(past: Past, steps: dict[str, dict[str, float]]) -> dict[str, int]:
    policy = ("model", "rules_and_outcomes")
    walls = {name: steps[name]["wall_s"] for name in steps}
    cpus = {name: steps[name]["processor_s"] for name in steps}
    return {
        "per_second_of_features_laid_down": round(len(past) / sum(walls[n] for n in policy)),
        "per_second_from_the_log": round(len(past) / sum(walls.values())),
        "per_processor_second_of_features_laid_down": round(
            len(past) / sum(cpus[n] for n in policy)
        ),
        "per_processor_second_from_the_log": round(len(past) / sum(cpus.values())),
    }


@contextmanager
def _timed(steps: dict[str, dict[str, float]], name: str) -> Iterator[None]:
    began, used = time.perf_counter(), time.process_time()
    yield
    steps[name] = {
        "wall_s": round(time.perf_counter() - began, 2),
        "processor_s": round(time.process_time() - used, 2),
    }


def _nothing(*_: object) -> None:
    """Shows no progress."""


def _archive(file: Path, columns: dict[str, str], label: str, folder: ArchiveFolder) -> int:
    """By known time, as an import leaves it; returns the number of records."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(file, columns=[*columns.values(), label])
    times = np.asarray(table[columns["timestamp"]].cast(pa.timestamp("us")).cast(pa.int64()))
    known = np.concatenate([times, times + 7 * DAY])
    order = np.argsort(known, kind="stable")
    row = _rows(table, columns, label, times)
    edges = [*range(0, len(order), AT_ONCE), len(order)]
    for begin, end in pairwise(edges):
        records = []
        for offset, at in enumerate(order[begin:end].tolist(), begin):
            made = row(at % len(times), at >= len(times))
            records.append(ArchivedRecord(offset, None, encode(made), "counts", made))
        folder.add(Piece(0, begin, end - 1), table_of(records))
    return len(order)


def _rows(
    table: Any, columns: dict[str, str], label: str, times: Any
) -> Callable[[int, bool], Envelope]:
    ids, customers, merchants = (
        [str(value) for value in table[columns[name]].to_pylist()]
        for name in ("transaction_id", "customer_id", "merchant_id")
    )
    amounts = [round(float(value) * 100) for value in table[columns["amount"]].to_pylist()]
    labels = table[label].to_pylist()

    def row(n: int, is_label: bool) -> Envelope:
        at = int(times[n])
        paid = Transaction(
            transaction_id=ids[n], timestamp=at, amount=amounts[n], currency="USD",
            base_amount=amounts[n], customer_id=customers[n], merchant_id=merchants[n],
        )  # fmt: skip
        data: Any = TransactionImported(transaction=paid, digest="d", origin=file_name, line=n)
        known, name = at, transaction_event_id(TransactionImported, ids[n])
        if is_label:
            kind: Any = "fraud_report" if labels[n] else "genuine"
            data = TransactionLabelled.of(
                paid, value=int(labels[n]), kind=kind, reporter="file", reference="1"
            )
            known, name = at + 7 * DAY, label_event_id(TransactionLabelled, ids[n], "file", "1")
        return Envelope(
            id=name, source="bench", subject=ids[n], time=at, known_time=known, data=data,
            correlation_id=name,
        )  # fmt: skip

    file_name = "file"
    return row


if __name__ == "__main__":
    typer.run(main)
