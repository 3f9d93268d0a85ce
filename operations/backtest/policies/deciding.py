"""Decisions of a policy over columns: for each transaction what it would have decided live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from commands.ports import RuleLanguage
from domain.events import DeclaredList, Thresholds
from domain.policy.fallback import fallback
from domain.policy.rollout import in_roll_out
from domain.policy.rules.ruling import FAMILY, RuleSet
from domain.policy.rules.tree import Name, Node, walk
from domain.policy.thresholds import FALLBACK_THRESHOLDS
from domain.rule_values import LISTED_FIELDS
from operations.backtest.policies.declared import columns_of
from operations.backtest.policies.past import Floats, Ints, Past, in_parts
from operations.backtest.policies.policy import Policy, Setting, Stretches
from projections.replay.rules import Bools, Column, listed, truths
from projections.replay.ruling import Outcomes, Rulings, joined, rulings

BY_RULES = ("fallback", "deadline")
"""Paths of which the fallback rules decide."""

Trees = Mapping[str, Node]
"""Trees of conditions that take the place of a rule's own, by the name of the rule."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that one model and one set of rules decided, in one stretch of a policy; `model_hash` is
    nothing where the fallback rules scored."""

    rows: Ints
    scores: Floats
    rulings: Rulings
    thresholds: Thresholds
    setting: Setting
    model_hash: str

    @property
    def rule_set(self) -> RuleSet | None:
        return self.setting.rule_set


@dataclass(frozen=True, slots=True)
class Decisions:
    """`outcomes` and `scores` [transactions]; `reasons` counts decisions by what decided them."""

    name: str
    parts: tuple[Part, ...]
    outcomes: Outcomes
    scores: Floats

    def reasons(self) -> dict[str, int]:
        """By reason code of the rules that acted, and `score` where a threshold alone did."""
        found: Counter[str] = Counter()
        for part in self.parts:
            by_rules = np.zeros(len(part.rows), dtype=bool)
            for rule, fired in zip(part.rule_set.rules if part.rule_set else (), part.rulings.fired,
                                   strict=True):  # fmt: skip
                found[f"{FAMILY}.{rule.code}"] += len(fired)
                by_rules[fired] = True
            alone = (self.outcomes[part.rows] > 0) & ~by_rules
            found["score"] += int(alone.sum())
        return {code: number for code, number in found.most_common() if number}

    def at(self, name: str, **thresholds: float) -> Decisions:
        """The same with other thresholds for scores of models; scores and rules stay."""
        parts = tuple(
            replace(p, thresholds=_moved(p.thresholds, thresholds)) if p.model_hash else p
            for p in self.parts
        )
        return _joined(name, parts, len(self.outcomes))


def _moved(thresholds: Thresholds, given: Mapping[str, float]) -> Thresholds:
    """Other thresholds give way, so that they stay in order."""
    now = {n: getattr(thresholds, n) for n in ("review", "step_up", "decline")} | dict(given)
    for name, value in given.items():
        names = list(now)
        for other in names:
            if other in given:
                continue
            below = names.index(other) < names.index(name)
            now[other] = min(now[other], value) if below else max(now[other], value)
    return Thresholds(**now)


def decide(
    past: Past, policy: Policy, language: RuleLanguage, trees: Trees | None = None
) -> Decisions:
    """Raises NotFoundError, IntegrityError or SettingsError of a model, InvalidInputError."""
    live = past.decided.made & bool(policy.by_version)
    parts: list[Part] = []
    for stretches, moments, mine in (
        (policy.stretches, past.made.known, ~live),
        (policy.by_version, past.decided.versions, live),
    ):
        for setting, rows in _cut(stretches, moments, np.flatnonzero(mine)):
            parts += _parts(past, setting, rows, language, trees or {})
    return _joined(policy.name, tuple(parts), len(past))


def _cut(stretches: Stretches, moments: Ints, rows: Ints) -> Iterator[tuple[Setting, Ints]]:
    """Those of `rows` that lie in each stretch, where any does."""
    begins = np.array([since for since, _ in stretches[1:]], dtype=np.int64)
    numbers = np.searchsorted(begins, moments[rows], side="right")
    for number in np.unique(numbers).tolist():
        yield stretches[number][1], rows[numbers == number]


def _joined(name: str, parts: tuple[Part, ...], number: int) -> Decisions:
    outcomes, scores = np.zeros(number, dtype=np.int8), np.zeros(number)
    for part in parts:
        outcomes[part.rows] = part.rulings.outcomes(part.scores, part.thresholds)
        scores[part.rows] = part.scores
    return Decisions(name, parts, outcomes, scores)


def _parts(
    past: Past, setting: Setting, rows: Ints, language: RuleLanguage, trees: Trees
) -> list[Part]:
    by_rules = np.isin(past.decided.paths(rows), BY_RULES)
    away, rows = rows[by_rules], rows[~by_rules]
    challenger = np.zeros(len(rows), dtype=bool)
    if setting.challenger and setting.share:
        names = past.made.transaction_ids[rows].tolist()
        taken = (in_roll_out(name, setting.challenger, setting.share) for name in names)
        challenger = np.fromiter(taken, dtype=bool, count=len(rows))
    made = []
    for mine, model_hash, thresholds in (
        (rows[~challenger], setting.model_hash, setting.thresholds),
        (rows[challenger], setting.challenger, setting.challenger_thresholds),
        (away, "", FALLBACK_THRESHOLDS),
    ):
        if len(mine) and thresholds is not None:
            made.append(_part(past, setting, mine, model_hash, thresholds, language, trees))
    return made


def _part(
    past: Past,
    setting: Setting,
    rows: Ints,
    model_hash: str,
    thresholds: Thresholds,
    language: RuleLanguage,
    trees: Trees,
) -> Part:
    scored = bool(model_hash)
    if scored:
        scores = past.scores(model_hash, rows)
    else:
        thresholds = FALLBACK_THRESHOLDS
        scores = np.array([fallback(past.transaction(row)).value for row in rows.tolist()])
    made = []
    for some in in_parts(np.arange(len(rows))):
        columns = _Columns(past, setting, rows[some], scores[some] if scored else None)
        made.append(_ruled(columns, language, trees))
    return Part(rows, scores, joined(made), thresholds, setting, model_hash)


def _ruled(columns: _Columns, language: RuleLanguage, trees: Trees) -> Rulings:
    """Of a few rows: each value that a rule looks at takes as much as a feature does."""
    rule_set, rows = columns.setting.rule_set, columns.rows
    language = columns.setting.language(language)
    holds: list[Bools] = []
    for rule in rule_set.rules if rule_set is not None else ():
        assert rule_set is not None
        tree = trees.get(rule.name) or language.tree(rule.condition, rule_set.lists)
        seen = {n.name: columns.of(n.name) for n in walk(tree) if isinstance(n, Name)}
        holds.append(truths(tree, seen, len(rows))[0])
    return rulings(rule_set, holds, columns.past.made.transaction_ids[rows])


@dataclass(slots=True)
class _Columns:
    """What rules see of `rows`, each column made when a rule first names it."""

    past: Past
    setting: Setting
    rows: Ints
    scores: Floats | None
    made: dict[str, Column] = field(default_factory=dict)

    def of(self, name: str) -> Column:
        if name not in self.made:
            self.made[name] = self._of(name)
        return self.made[name]

    def _of(self, name: str) -> Column:
        every = np.ones(len(self.rows), dtype=bool)
        if name == "score":
            known = every if self.scores is not None else ~every
            return Column(self.scores if self.scores is not None else np.zeros(len(every)), known)
        if name == "path":
            return Column(paths(self.past, self.rows, scored=self.scores is not None), every)
        if name.startswith("lists."):
            return self._listed(name.removeprefix("lists."))
        return self.past.column(columns_of(self.setting.features).get(name, name), self.rows)

    def _listed(self, name: str) -> Column:
        assert self.setting.rule_set is not None
        declared = next(each for each in self.setting.rule_set.lists if each.name == name)
        texts = self.past.transactions.column(text_of(declared), self.rows)
        published = self.setting.lists.in_force.get(name)
        if published is None:
            is_name = declared.of == "name"
            kind = np.float64 if is_name else np.bool_
            return Column(np.zeros(len(self.rows), dtype=kind), texts.known)
        return listed(published, texts, self.past.made.times[self.rows])


def paths(past: Past, rows: Ints, *, scored: bool) -> NDArray[np.object_]:
    """By which transactions are decided that a model has scored, or the fallback rules have."""
    told = past.decided.paths(rows)
    told[told == ""] = "full" if scored else "fallback"
    return told


def text_of(declared: DeclaredList) -> str:
    """The field, or `attributes.<name>`, that is sought in the list."""
    return LISTED_FIELDS.get(declared.of) or f"attributes.{declared.attribute}"


def attributes_of(policies: Sequence[Policy]) -> set[str]:
    """Names of attributes that a list of any policy is about."""
    sets = {s.rule_set for p in policies for s in p.settings if s.rule_set is not None}
    found = {text_of(each) for rule_set in sets for each in rule_set.lists}
    return {name.removeprefix("attributes.") for name in found if name.startswith("attributes.")}
