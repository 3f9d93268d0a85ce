"""Policies that a backtest compares: the live one as it was, and candidates from folders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from commands.policy.topic import facts
from commands.ports import RuleLanguage
from domain.errors import InvalidInputError
from domain.events import (
    ListEntriesStaged,
    ListEntry,
    ListPublished,
    PolicyContent,
    Route,
    Suppression,
    Thresholds,
)
from domain.features import Feature
from domain.policy.exploration import Arm
from domain.policy.lists.published import NO_LISTS, Lists, hash_of_entries
from domain.policy.rules.ruling import RuleSet
from domain.policy.snapshot import NO_POLICY, PolicySnapshot
from eventlog.port import EventLog
from operations.backtest.policies.declared import declared_features
from operations.policy.list_files import Clean
from operations.policy.publishing import lint

ALWAYS = -(1 << 62)
"""Before every known time."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What decides a transaction; without a model the fallback rules score it.

    `share` basis points of ids go to the model `challenger`, with thresholds of its own.
    `suppressions` and `routes` are those of the alerts, `features` those that rules see beside the
    catalogue's. `exploration` is that of the live policy.
    """

    model_hash: str
    thresholds: Thresholds
    rule_set: RuleSet | None
    lists: Lists
    challenger: str = ""
    share: int = 0
    challenger_thresholds: Thresholds | None = None
    suppressions: tuple[Suppression, ...] = ()
    routes: tuple[Route, ...] = ()
    features: tuple[Feature, ...] = ()
    exploration: Arm | None = None

    def language(self, language: RuleLanguage) -> RuleLanguage:
        """That of its conditions."""
        return language.knowing([each.name for each in self.features])


Stretches = tuple[tuple[int, Setting], ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """`stretches` are (known time from which it counts, setting), ascending; the first one counts
    for all before it too.

    Of payments that were decided live `by_version` counts in place of these, from the version of
    the policy on that each decision names: a process takes a new version up some time after it was
    published, and a rehearsal has the known time of long ago.
    """

    name: str
    stretches: Stretches
    by_version: Stretches = ()

    @property
    def settings(self) -> list[Setting]:
        return [setting for _, setting in (*self.stretches, *self.by_version)]

    @property
    def models(self) -> set[str]:
        """Hashes of all models that may score."""
        return {h for s in self.settings for h in (s.model_hash, s.challenger) if h}

    @property
    def features(self) -> tuple[Feature, ...]:
        """Those that it declares, by its own names."""
        return tuple(dict.fromkeys(f for setting in self.settings for f in setting.features))

    def changed(self, change: Callable[[Setting], Setting]) -> Policy:
        """The same with every setting changed."""
        made = (
            tuple((since, change(each)) for since, each in stretches)
            for stretches in (self.stretches, self.by_version)
        )
        return Policy(self.name, *made)


@dataclass(frozen=True, slots=True)
class LivePast:
    """The live policy by known time, and what is in force at the end of the log."""

    stretches: tuple[tuple[int, PolicySnapshot], ...]
    now: PolicySnapshot


def live_past(log: EventLog, version: int | None = None) -> LivePast:
    """As it is now, or was at a version. Raises LogUnavailableError."""
    snapshot, at = NO_POLICY, ALWAYS
    stretches: list[tuple[int, PolicySnapshot]] = []
    for offset, fact in facts(log):
        if version is not None and offset > version:
            break
        after = snapshot.apply(fact.data, offset)
        at = max(at, fact.known_time)
        if _acting(after) != _acting(snapshot):
            stretches.append((at, after))
        snapshot = after
    return LivePast(tuple(stretches), snapshot)


def _acting(snapshot: PolicySnapshot) -> tuple[object, ...]:
    lists = {name: each.version for name, each in snapshot.lists.in_force.items()}
    # Published ones stand apart: they also count for a challenger, which has others of its own.
    thresholds = snapshot.thresholds, snapshot.published
    alerts = snapshot.suppressions, snapshot.routes
    acts = snapshot.roll_out, snapshot.rules, snapshot.exploration
    return snapshot.model, thresholds, acts, lists, alerts


def live_policy(past: LivePast) -> Policy:
    """As it was; history that was known before it had a model is decided by the one in force now.

    What was decided live before that, the fallback rules decide as they did."""
    made = [(since, each, _setting(each)) for since, each in past.stretches]
    began = ((since, setting) for since, each, setting in made if each.model is not None)
    now = _setting(past.now)
    before = replace(now, routes=_from_the_beginning(now.routes))
    versions = ((each.version, setting) for _, each, setting in made)
    return Policy("live", ((ALWAYS, before), *began), ((ALWAYS, _setting(NO_POLICY)), *versions))


def _from_the_beginning(routes: Sequence[Route]) -> tuple[Route, ...]:
    """They take alerts of before they were published too."""
    return tuple(replace(each, since=0) for each in routes)


def _setting(snapshot: PolicySnapshot) -> Setting:
    out = snapshot.roll_out
    return Setting(
        snapshot.model.model_hash if snapshot.model else "",
        snapshot.thresholds_for("full" if snapshot.model else "fallback"),
        snapshot.rules,
        snapshot.lists,
        out.model_hash if out else "",
        out.share if out else 0,
        (snapshot.published or out.thresholds) if out else None,
        snapshot.suppressions,
        snapshot.routes,
        exploration=snapshot.exploration,
    )


@dataclass(frozen=True, slots=True)
class Model:
    """A model that candidates take, with the thresholds that come with it."""

    model_hash: str
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class Written:
    """What a folder says, under its name."""

    name: str
    content: PolicyContent


def written(folder: Path, language: RuleLanguage, clean: Clean) -> Written:
    """Raises InvalidInputError for faults."""
    found = lint(folder, language, clean)
    if found.faults:
        raise InvalidInputError("--policy", "\n".join(map(str, ("not tried:", *found.faults))))
    return Written(str(folder), found.content)


def candidate(said: Written, past: LivePast, model: Model | None) -> Policy:
    """A folder's policy, with the model in force now where none is given.

    Lists with a file hold what the file does; others what the log said of them by then. A folder
    that says nothing of rules, thresholds, suppressions or routes has the ones in force: published
    thresholds count before those of any model. Raises InvalidInputError without a model.
    """
    content = said.content
    now = _setting(past.now)
    if model is None and not now.model_hash:
        raise InvalidInputError("--model", "no model is in force: name one")
    took = model or Model(now.model_hash, past.now.thresholds)
    published = content.thresholds if "thresholds" in content.keys else past.now.published
    rule_set = past.now.rules
    if "rules" in content.keys:
        rule_set = RuleSet(-1, tuple(content.rules), tuple(content.lists))
    suppressions, routes = now.suppressions, now.routes
    if "suppressions" in content.keys:
        suppressions = tuple(content.suppressions)
    if "routes" in content.keys:
        routes = tuple(content.routes)
    routes = _from_the_beginning(routes)
    features = declared_features(content.features)
    own = NO_LISTS
    for each in content.lists:
        if (entries := content.entries.get(each.name)) is not None:
            own = _listed(own, each.name, each.of, entries)
    setting = Setting(
        took.model_hash, published or took.thresholds, rule_set, NO_LISTS,
        suppressions=suppressions, routes=routes, features=features,
    )  # fmt: skip
    stretches: list[tuple[int, Setting]] = []
    by_version: list[tuple[int, Setting]] = []
    changes = ((since, each.version, each.lists) for since, each in past.stretches)
    for since, version, lists in ((ALWAYS, ALWAYS, NO_LISTS), *changes):
        then = replace(setting, lists=_seen(rule_set, lists, own))
        if not stretches or stretches[-1][1] != then:
            stretches.append((since, then))
            by_version.append((version, then))
    return Policy(said.name, tuple(stretches), tuple(by_version))


def _seen(rule_set: RuleSet | None, lists: Lists, own: Lists) -> Lists:
    names = {each.name for each in rule_set.lists} if rule_set else set()
    held = {**lists.in_force, **own.in_force}
    return Lists({name: each for name, each in held.items() if name in names})


def _listed(lists: Lists, name: str, of: str, entries: Sequence[ListEntry]) -> Lists:
    given = list(entries)
    staged = ListEntriesStaged(name=name, of=of, batch="file", part=0, entries=given)  # type: ignore[arg-type]
    published = ListPublished(
        name=name,
        of=of,  # type: ignore[arg-type]
        change="replace",
        batch="file",
        parts=1,
        entries=len(given),
        entries_hash=hash_of_entries(given),
        reason="backtest",
        by="backtest",
    )
    return lists.apply(staged, 0).apply(published, 0)
