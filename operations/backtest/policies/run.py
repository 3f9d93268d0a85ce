"""Backtest of policies: candidates against a baseline over one period; nothing live is touched."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from commands.ports import RuleLanguage
from domain.features import CATALOGUE, FeatureSet
from domain.features.payments import UNLABELLED
from domain.policy.thresholds import SEVERITY
from domain.times import to_rfc3339
from eventlog.archive.history import History
from host.files import whole_file, writing
from operations.backtest.laying.decided import Serving
from operations.backtest.laying.lay_down import Means
from operations.backtest.policies.closed_loop.feedback import Blocking
from operations.backtest.policies.closed_loop.report import read_feedback, report_of
from operations.backtest.policies.deciding import Decisions, attributes_of, decide
from operations.backtest.policies.declared import told
from operations.backtest.policies.delivery import delivery_of
from operations.backtest.policies.estimates.report import apart, estimates
from operations.backtest.policies.figures import Load, compared, of_policy
from operations.backtest.policies.needed import needed_features
from operations.backtest.policies.past import Past, ScoreVectors, read_past
from operations.backtest.policies.policy import (
    LivePast,
    Model,
    Policy,
    Written,
    candidate,
    live_past,
    live_policy,
)
from operations.backtest.policies.reproduction.comparison import reproduction
from operations.backtest.policies.sweep import Sweep, swept
from operations.models.lifecycle import Models
from operations.progress import Count, Say
from operations.replay.verify import feature_sets


@dataclass(frozen=True, slots=True)
class Asked:
    """The candidates, and the baseline, None for the live policy as it was.

    The period is begin <= event time < end, in microseconds UTC. `model` is an id or the beginning
    of a hash, for the candidates. `policy_version` is where the live policy ends, None for now.
    `closed_loop` asks for it, and says whom known fraud stops. `served` gives what was decided live
    the vectors that it was served, in place of ideal ones.
    """

    candidates: Sequence[Written]
    begin: int
    end: int
    model: str | None = None
    baseline: Written | None = None
    sweep: Sweep | None = None
    load: Load = field(default_factory=Load)
    policy_version: int | None = None
    closed_loop: Blocking | None = None
    served: bool = False


ReadPast = Callable[[Path | None], Past]
"""Takes the folder that its columns are to lie in."""
LayDown = Callable[[Collection[str], FeatureSet, ReadPast], Past]
"""Takes attributes that lists are about, the features that are needed, and what reads the past;
gives what was read, or as much of an earlier run."""


def read_anew(_attributes: Collection[str], _features: FeatureSet, read: ReadPast) -> Past:
    return read(None)


@dataclass(frozen=True, slots=True)
class PolicyBacktest:
    """What was decided by the baseline and by each candidate, with all figures as plain values."""

    past: Past
    baseline: Decisions
    candidates: list[Decisions]
    report: dict[str, Any]


def backtest_policies(
    models: Models,
    history: History,
    language: RuleLanguage,
    score: ScoreVectors,
    asked: Asked,
    known_at: int,
    say: Say,
    count: Count,
    lay_down: LayDown = read_anew,
    means: Means | None = None,
) -> PolicyBacktest:
    """With labels as known at `known_at`, microseconds UTC.

    Raises InvalidInputError for a wrong policy or an empty period, NotFoundError for an unknown
    model, SettingsError for one of other features."""
    live = live_past(models.log, asked.policy_version)
    base, tried = _policies(models, live, asked)
    attributes = attributes_of([base, *tried])
    features = needed_features(
        [base, *tried], lambda of: models.store.open(of).manifest.inputs, language
    )

    serving = Serving(feature_sets(models.log), taken=asked.served)

    def read(folder: Path | None) -> Past:
        return read_past(
            history, asked.begin, asked.end, known_at, attributes, score, say, count, features,
            means, folder, serving,
        )  # fmt: skip

    past = lay_down(attributes, features, read)
    made = []
    for policy in (base, *tried):
        say(f"deciding by {policy.name}")
        made.append(decide(past, policy, language))
    baseline, candidates = made[0], made[1:]
    say("playing alerts")
    deliveries = [
        {"delivery": delivery_of(past, policy, each)}
        for policy, each in zip((base, *tried), made, strict=True)
    ]
    say("comparing")
    report: dict[str, Any] = {
        "from": to_rfc3339(asked.begin),
        "to": to_rfc3339(asked.end),
        "labels_known_at": to_rfc3339(known_at),
        "transactions": len(past),
        "labelled": int((past.made.labels != UNLABELLED).sum()),
        "policy_version": live.now.version,
        "feature_set": CATALOGUE.hash,
        "models": {p.name: sorted(p.models) for p in (base, *tried)},
        **_declared((base, *tried)),
        "scored_one_by_one": past.one_by_one,
        "baseline": of_policy(past, baseline, asked.load) | deliveries[0],
        "candidates": [
            of_policy(past, each, asked.load) | delivery
            for each, delivery in zip(candidates, deliveries[1:], strict=True)
        ],
        "compared": [compared(past, baseline, each) for each in candidates],
        "apart": [apart(past, baseline, each) for each in candidates],
        "estimates": [estimates(past, baseline, each) for each in candidates],
        "features": "served" if asked.served else "ideal",
    }
    if asked.baseline is None:
        report["reproduction"] = reproduction(past, baseline, live.now.version, served=asked.served)
    if (block := asked.closed_loop) is not None:
        period = asked.begin, asked.end
        feedback = read_feedback(history, past, period, known_at, block, say, count)
        tried_open = list(zip((base, *tried), made, strict=True))
        report["closed_loop"] = report_of(
            past, feedback, block, tried_open, language, asked.load, say, count
        )
    if asked.sweep is not None:
        say(f"sweeping {asked.sweep.parameter}")
        report["sweep"] = {
            "parameter": asked.sweep.parameter,
            "points": {
                policy.name: swept(past, policy, asked.sweep, language, count) for policy in tried
            },
        }
    return PolicyBacktest(past, baseline, candidates, report)


def _declared(policies: Sequence[Policy]) -> dict[str, Any]:
    """Of those policies that have features outside the catalogue."""
    found = {policy.name: told(policy.features) for policy in policies if policy.features}
    return {"declared_features": found} if found else {}


def _policies(models: Models, live: LivePast, asked: Asked) -> tuple[Policy, list[Policy]]:
    model = None
    if asked.model is not None:
        found = models.registry.find(asked.model)
        model = Model(found.model_hash, models.manifest(found).thresholds)
    tried = [candidate(each, live, model) for each in asked.candidates]
    if asked.baseline is None:
        return live_policy(live), tried
    return candidate(asked.baseline, live, None), tried


def write_changed(made: PolicyBacktest, path: Path) -> int:
    """CSV of all decisions that a candidate would change, whole or not at all; returns how many."""
    with (
        writing(path, "name another file"),
        whole_file(path, durable=False) as draft,
        draft.open("w", newline="") as file,
    ):
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(
            ["transaction_id", "timestamp", "base_amount_minor", "label", "candidate",
             "baseline_score", "baseline_outcome", "candidate_score", "candidate_outcome"]
        )  # fmt: skip
        number = 0
        for row in _changed(made):
            lines.writerow(row)
            number += 1
    return number


def _changed(made: PolicyBacktest) -> Iterator[tuple[Any, ...]]:
    past, base = made.past.made, made.baseline
    for each in made.candidates:
        for row in np.flatnonzero(base.outcomes != each.outcomes).tolist():
            label = int(past.labels[row])
            yield (
                past.transaction_ids[row],
                to_rfc3339(int(past.times[row])),
                int(past.payments.amounts[row]),
                "" if label == UNLABELLED else label,
                each.name,
                repr(float(base.scores[row])),
                SEVERITY[base.outcomes[row]],
                repr(float(each.scores[row])),
                SEVERITY[each.outcomes[row]],
            )
