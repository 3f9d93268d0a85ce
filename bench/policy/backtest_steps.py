"""Steps of the benchmark of a backtest, each with its time and memory."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import Spent, spent
from bench.policy.rules import made as rules_made
from bench.policy.rules import of_five_terms
from domain.features import CATALOGUE
from domain.features.engine import warm_up
from domain.policy.lists.published import NO_LISTS
from domain.policy.rules.ruling import RuleSet
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import History
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from inference.artefacts.store import Artefact
from operations.backtest.engines.local import local_engine
from operations.backtest.laying.lay_down import Means
from operations.backtest.policies.deciding import decide
from operations.backtest.policies.figures import Load, compared, of_policy
from operations.backtest.policies.past import Past, by_artefacts, read_past
from operations.backtest.policies.policy import ALWAYS, Policy, Setting
from operations.models.default_model import default_model
from runtime.composition.models import artefacts_of, rule_language
from runtime.settings import settings_from_environment

RULES = 30
END = 1 << 60
Steps = dict[str, dict[str, float]]


def measured(url: str, ends: tuple[int, int], memory: int, workers: int) -> dict[str, Any]:
    """`ends` of the log of one partition: those of half of its time, and of all."""
    artefact = default_model(artefacts_of(settings_from_environment()), lambda *_: None)
    warm_up(CATALOGUE)
    numbers, took = [], []
    for end in ends:
        with tempfile.TemporaryDirectory() as place:
            with spent() as found, local_engine(workers) as engine:
                past = _past(url, end, artefact, Means(engine, memory << 20), Path(place))
            numbers.append(len(past))
            took.append(found)
    before, after = took
    steps = {"features_and_fields": after.told(), **_decided(past, artefact)}
    return {
        "transactions": len(past),
        "features": len(CATALOGUE),
        "rules": RULES,
        "workers": workers,
        "memory_mb": memory,
        "model_many_at_once": not past.one_by_one,
        "steps": steps,
        **_rates(len(past), steps),
        "doubled": {
            "transactions": numbers,
            "processor_ratio": _ratio(before.processor_s, after.processor_s, numbers),
            "wall_ratio": _ratio(before.wall_s, after.wall_s, numbers),
            "peak_gib": [before.peak_gib, after.peak_gib],
        },
    }


def beside_floor(found: dict[str, Any], plain: dict[str, Any]) -> dict[str, Any]:
    """What laying down takes, in times of what plain Polars (`bench.policy.floor`) does: as they
    are, and for one value of each."""
    ours = found["steps"]["features_and_fields"]
    spent_on = {name: ours[name] / plain[name] for name in ("wall_s", "processor_s")}
    values = found["features"] * found["transactions"]
    of_a_value = plain["features"] * plain["transactions"] / values
    return {
        "polars": plain,
        "times_polars": {
            **{name: round(times, 2) for name, times in spent_on.items()},
            "processor_s_of_a_value": round(spent_on["processor_s"] * of_a_value, 2),
        },
    }


def _ratio(before: float, after: float, numbers: list[int]) -> float:
    """As of twice as many transactions: a file is seldom as busy in both halves."""
    return round(after / before * 2 * numbers[0] / numbers[1], 2)


def _past(url: str, end: int, artefact: Artefact, means: Means, folder: Path) -> Past:
    ends = [end, *(0 for _ in range(TRANSACTIONS.partitions - 1))]
    history = History(InMemoryEventLog(), ArchiveFolder(url, TRANSACTIONS), ends)
    score = by_artefacts(lambda _: artefact)
    return read_past(
        history, 0, END, END, (), score, _nothing, _nothing, means=means, folder=folder
    )


def _decided(past: Past, artefact: Artefact) -> Steps:
    language, rules = rule_language(), rules_made(of_five_terms)[:RULES]
    least = artefact.manifest.thresholds
    plain = Setting(artefact.model_hash, least, None, NO_LISTS)
    ruled = Setting(artefact.model_hash, least, RuleSet(0, tuple(rules)), NO_LISTS)
    base, tried = (Policy(n, ((ALWAYS, s),)) for n, s in (("base", plain), ("tried", ruled)))
    with spent() as model:
        past.scores(artefact.model_hash, np.arange(len(past)))
    with spent() as by_rules:
        made = decide(past, tried, language)
    with spent() as figures:
        of_policy(past, made, Load())
        compared(past, decide(past, base, language), made)
    steps: dict[str, Spent] = {"model": model, "rules_and_outcomes": by_rules, "figures": figures}
    return {name: each.told() for name, each in steps.items()}


def _rates(number: int, steps: Steps) -> dict[str, int]:
    policy = ("model", "rules_and_outcomes")
    walls = {name: each["wall_s"] for name, each in steps.items()}
    cpus = {name: each["processor_s"] for name, each in steps.items()}
    return {
        "per_second_of_features_laid_down": round(number / sum(walls[n] for n in policy)),
        "per_second_from_the_log": round(number / sum(walls.values())),
        "per_processor_second_of_features_laid_down": round(number / sum(cpus[n] for n in policy)),
        "per_processor_second_from_the_log": round(number / sum(cpus.values())),
    }


def _nothing(*_: object) -> None:
    """Shows no progress."""
