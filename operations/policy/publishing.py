"""Publishing of rules and routes: lint, diff, publish, take back, history, over files and log."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from commands.alerts.routing import MOST_ROUTES
from commands.policy.routes import (
    PublishedRoutes,
    publish_routes,
    published_routes,
    take_back_routes,
)
from commands.policy.rules import PublishedRules, publish_rules, published_rules, take_back_rules
from commands.policy.topic import current_policy
from commands.ports import RuleLanguage
from domain.errors import InvalidInputError
from domain.events import Route, Rule
from domain.features import CATALOGUE
from domain.policy.rules.rule_set import MOST_RULES, faults_of
from domain.rule_values import TYPES
from eventlog.port import EventLog
from host.clock import now_us
from operations.policy.rule_files import RuleFiles, WrittenRule, read_folder


def lint(folder: Path, language: RuleLanguage) -> RuleFiles:
    """The rules and routes of a folder with all that is wrong with them, by file and line."""
    found = read_folder(folder)
    first: dict[str, WrittenRule] = {}
    for each in found.rules:
        for name, message in faults_of(each.rule, TYPES):
            found.faults.append(each.place(name).fault(f"{name} {message}"))
        place = each.place("condition")
        for fault in language.faults(each.rule.condition):
            found.faults.append(place.fault(fault.message, fault.line, fault.column))
        same = first.setdefault(each.rule.name, each)
        if same is not each:
            there = same.place("name")
            text = f"another rule is called so, at {there.path}:{there.line}"
            found.faults.append(each.place("name").fault(text))
    if len(found.rules) > MOST_RULES:
        place = found.rules[MOST_RULES].place("")
        found.faults.append(place.fault(f"a set has at most {MOST_RULES} rules"))
    _lint_routes(found)
    found.faults.sort()
    return found


def _lint_routes(found: RuleFiles) -> None:
    names: set[str] = set()
    for number, each in enumerate(found.routes):
        if each.route.name in names:
            found.faults.append(each.place("name").fault("another route is called so"))
        if number == MOST_ROUTES:
            found.faults.append(each.place("").fault(f"there are at most {MOST_ROUTES} routes"))
        names.add(each.route.name)


@dataclass(frozen=True, slots=True)
class Change:
    """A rule or route: `added`, `removed`, or `changed` with (before, after) by field."""

    name: str
    kind: str
    fields: dict[str, tuple[object, object]]


def differences(
    before: Sequence[Rule] | Sequence[Route], after: Sequence[Rule] | Sequence[Route]
) -> list[Change]:
    """In the order of names. The order in a set is no difference in what it does."""
    old, new = ({each.name: each for each in found} for found in (before, after))
    found = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            found.append(Change(name, "added" if name in new else "removed", {}))
        elif old[name] != new[name]:
            was, now = asdict(old[name]), asdict(new[name])
            keys = [key for key in now if was[key] != now[key] and key != "since"]
            if keys:
                found.append(Change(name, "changed", {k: (was[k], now[k]) for k in keys}))
    return found


@dataclass(frozen=True, slots=True)
class RulePublisher:
    """Publishes rules and routes to a log, once checked."""

    log: EventLog
    language: RuleLanguage

    def history(self, as_known_at: int | None = None) -> list[PublishedRules]:
        """The oldest first, up to a moment (microseconds UTC)."""
        return [
            each
            for each in published_rules(self.log)
            if as_known_at is None or each.known_time <= as_known_at
        ]

    def routes_history(self, as_known_at: int | None = None) -> list[PublishedRoutes]:
        """As `history`."""
        return [
            each
            for each in published_routes(self.log)
            if as_known_at is None or each.known_time <= as_known_at
        ]

    def diff(self, folder: Path) -> list[Change]:
        """From what is in force to the folder. Raises InvalidInputError for faults."""
        found, policy = self._checked(folder), current_policy(self.log)
        changes: list[Change] = []
        if "rules" in found.keys:
            before = policy.rules.rules if policy.rules else ()
            changes += differences(before, [each.rule for each in found.rules])
        if "routes" in found.keys:
            changes += differences(policy.routes, [each.route for each in found.routes])
        return changes

    def publish(self, folder: Path, reason: str) -> list[str]:
        """What was put in force, `rules` or `routes` or both; nothing where they are in force
        already. Raises InvalidInputError for faults."""
        found, now = self._checked(folder), now_us()
        changed = []
        rules, routes = [each.rule for each in found.rules], [each.route for each in found.routes]
        if "rules" in found.keys and publish_rules(self.log, rules, CATALOGUE.hash, reason, now):
            changed.append("rules")
        if "routes" in found.keys and publish_routes(self.log, routes, reason, now):
            changed.append("routes")
        return changed

    def take_back(self, version: int, reason: str) -> list[str]:
        """As `publish`, of an earlier set, which is checked against what rules can see now."""
        if any(each.version == version for each in self.routes_history()):
            done = take_back_routes(self.log, version, reason, now_us())
            return ["routes"] if done else []
        for each in self.history():
            if each.version == version:
                self.language.compile(each.fact.rules)
        return ["rules"] if take_back_rules(self.log, version, reason, now_us()) else []

    def _checked(self, folder: Path) -> RuleFiles:
        found = lint(folder, self.language)
        if found.faults:
            raise InvalidInputError(
                "policy", "\n".join(map(str, ("not published:", *found.faults)))
            )
        return found
