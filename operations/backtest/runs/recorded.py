"""Recorded runs: tried, written, recorded in the log; and the same again from the record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from commands.backtests import (
    check_size,
    content_hash,
    keep_policy,
    kept_policy,
    record_backtest,
    recorded_backtest,
    recorded_backtests,
)
from commands.ports import RuleLanguage
from domain.errors import IntegrityError
from domain.events import BacktestCompleted, TriedPolicy
from domain.features import CATALOGUE
from domain.times import to_rfc3339
from eventlog.archive.history import History
from eventlog.topics import TRANSACTIONS
from host.clock import now_us
from inference.serving.graph import kernel
from inference.serving.machine import cpu_features
from operations.backtest.laying.lay_down import Means
from operations.backtest.policies.closed_loop.feedback import parse_blocking
from operations.backtest.policies.figures import SEED, Load
from operations.backtest.policies.past import ScoreVectors
from operations.backtest.policies.policy import Written
from operations.backtest.policies.run import Asked, PolicyBacktest, backtest_policies
from operations.backtest.policies.sweep import parse_sweep
from operations.backtest.reports.document import document, report_bytes
from operations.backtest.runs.columns import KeptColumns, Moment, code, kept_columns
from operations.backtest.runs.counted import counted
from operations.models.lifecycle import Models
from operations.progress import Count, Say

_ID = 16  # hexadecimal characters


@dataclass(frozen=True, slots=True)
class BacktestPorts:
    """`history` is the log as it is now, `folder` where columns of interrupted runs lie, `by` who
    tries."""

    models: Models
    history: History
    language: RuleLanguage
    score: ScoreVectors
    folder: Path
    by: str
    means: Means = field(default_factory=Means)


@dataclass(frozen=True, slots=True)
class Finished:
    """`report` are the bytes of report.json, and `fact` is what is recorded of it."""

    made: PolicyBacktest
    report: bytes
    fact: BacktestCompleted


Write = Callable[[Finished], None]


@dataclass(frozen=True, slots=True)
class Repeated:
    """`others` says what was not as it was then: code, features or machine."""

    finished: Finished
    identical: bool
    others: list[str]


def run_backtest(
    ports: BacktestPorts,
    asked: Asked,
    write: Write,
    say: Say,
    count: Count,
    *,
    anew: bool = False,
    record: bool = True,
) -> Finished:
    """Tries, gives the outcome to `write`, and records it once that has returned.

    An interrupted run of the same period is continued, as of its moment, unless `anew`. Raises as
    `backtest_policies`, UnavailableError for a full disk, and LogUnavailableError.
    """
    policies = [*asked.candidates, *([asked.baseline] if asked.baseline else [])]
    if record:
        # Before hours of work: a policy that is too large, and a log without that topic.
        for each in policies:
            check_size(each.content, each.name)
        recorded_backtests(ports.models.log)
    period = asked.begin, asked.end
    with kept_columns(ports.folder, *period, served=asked.served, anew=anew) as kept:
        if kept.begun:
            laid = to_rfc3339(kept.begun)[:19]
            say(f"continuing from the columns of {laid}Z; --anew leaves them")
        moment = kept.moment or Moment(now_us(), ports.history.ends)
        finished = _finished(ports, asked, moment, kept, say, count)
        write(finished)
        if record:
            for each in policies:
                keep_policy(ports.models.log, each.content, now_us())
            record_backtest(ports.models.log, finished.fact, now_us())
        kept.remove()
    return finished


def repeat_backtest(
    ports: BacktestPorts, named: str, write: Write, say: Say, count: Count
) -> Repeated:
    """The run of that id, or of the beginning of one, from its record alone.

    Raises NotFoundError, IntegrityError where this log or this version cannot give what the record
    names, and as `run_backtest`.
    """
    fact = recorded_backtest(ports.models.log, named)
    ends = ports.history.ends
    if fact.topic != TRANSACTIONS.name or any(
        a > b for a, b in zip(fact.positions, ends, strict=True)
    ):
        raise IntegrityError(
            f"backtest {fact.backtest_id} read {fact.topic} up to {fact.positions}, and this log"
            f" has {TRANSACTIONS.name} up to {list(ends)}: it is another log, or was cut"
        )
    moment = Moment(fact.known_at, tuple(fact.positions))
    asked = _asked(ports, fact)
    period = asked.begin, asked.end
    with kept_columns(ports.folder, *period, moment, served=asked.served) as kept:
        finished = _finished(ports, asked, moment, kept, say, count, fact.backtest_id)
        write(finished)
        kept.remove()
    same = finished.fact.report_hash == fact.report_hash
    return Repeated(finished, same, _others(fact, finished.fact))


def _asked(ports: BacktestPorts, fact: BacktestCompleted) -> Asked:
    def again(tried: TriedPolicy) -> Written:
        return Written(tried.name, kept_policy(ports.models.log, tried.content_hash))

    return Asked(
        [again(each) for each in fact.candidates],
        fact.begin,
        fact.end,
        fact.model or None,
        again(fact.baseline) if fact.baseline else None,
        parse_sweep(fact.sweep) if fact.sweep else None,
        Load(fact.case_minutes),
        fact.policy_version,
        parse_blocking(fact.closed_loop) if fact.closed_loop else None,
        fact.features == "served",
    )


def _finished(
    ports: BacktestPorts,
    asked: Asked,
    moment: Moment,
    kept: KeptColumns,
    say: Say,
    count: Count,
    backtest_id: str = "",
) -> Finished:
    score = counted(ports.score, count)
    made = backtest_policies(
        ports.models,
        ports.history.upto(moment.positions),
        ports.language,
        score,
        asked,
        moment.known_at,
        say,
        count,
        lambda attributes, features, read: kept.past(moment, attributes, features, score, read),
        ports.means,
    )
    say("writing the report")
    fact = _fact(ports, asked, moment, made)
    fact = replace(fact, backtest_id=backtest_id or _id_of(fact))
    report = report_bytes(document(made, fact.backtest_id))
    fact = replace(fact, report_hash=hashlib.sha256(report).hexdigest())
    return Finished(made, report, fact)


def _fact(
    ports: BacktestPorts, asked: Asked, moment: Moment, made: PolicyBacktest
) -> BacktestCompleted:
    """All that the figures follow from; without an id and the hash of the report."""
    models = {each for hashes in made.report["models"].values() for each in hashes}
    named = ports.models.registry.find(asked.model).model_hash if asked.model else ""
    return BacktestCompleted(
        backtest_id="",
        begin=asked.begin,
        end=asked.end,
        known_at=moment.known_at,
        topic=TRANSACTIONS.name,
        positions=list(moment.positions),
        policy_version=made.report["policy_version"],
        candidates=[_tried(each) for each in asked.candidates],
        baseline=_tried(asked.baseline) if asked.baseline else None,
        model=named,
        models=sorted(models),
        sweep=asked.sweep.text if asked.sweep else "",
        case_minutes=asked.load.minutes,
        closed_loop=asked.closed_loop or "",
        features="served" if asked.served else "ideal",
        seed=SEED,
        code=code(),
        catalogue=CATALOGUE.hash,
        fingerprint=f"{kernel()}/{cpu_features()}",
        transactions=len(made.past),
        report_hash="",
        by=ports.by,
    )


def _tried(policy: Written) -> TriedPolicy:
    return TriedPolicy(name=policy.name, content_hash=content_hash(policy.content))


def _id_of(fact: BacktestCompleted) -> str:
    return hashlib.sha256(msgspec.json.encode(fact)).hexdigest()[:_ID]


def _others(then: BacktestCompleted, now: BacktestCompleted) -> list[str]:
    kinds = {"code": "the code", "catalogue": "the features", "fingerprint": "the machine"}
    return [
        f"{said} was {getattr(then, name)}, and is {getattr(now, name)}"
        for name, said in kinds.items()
        if getattr(then, name) != getattr(now, name)
    ]
