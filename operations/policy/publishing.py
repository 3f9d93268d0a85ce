"""Publishing of the policy: lint, diff, publish, take back, history, over files and log."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from commands.alerts.routing import MOST_ROUTES
from commands.policy.routes import publish_routes, take_back_routes
from commands.policy.rules import publish_rules, take_back_rules
from commands.policy.topic import Published, current_policy, published
from commands.ports import RuleLanguage
from domain.errors import InvalidInputError
from domain.events import DeclaredList, Route, RoutesPublished, Rule, RulesPublished
from domain.features import CATALOGUE
from domain.policy.lists.declared import faults_of_list
from domain.policy.rules.rule_set import MOST_RULES, faults_of
from domain.rule_values import TYPES, list_types
from eventlog.port import EventLog
from host.clock import now_us
from operations.policy.list_files import Clean
from operations.policy.list_publishing import ListPublisher, lint_lists
from operations.policy.rule_files import RuleFiles, WrittenRule, read_folder

DEFAULT_FOLDER = Path(__file__).parent / "default"
"""The policy that ships with this version; in force once it is published."""

_Named = Rule | DeclaredList | Route


def lint(folder: Path, language: RuleLanguage, clean: Clean) -> RuleFiles:
    """What a folder holds, with all that is wrong with it, by file and line."""
    found = read_folder(folder)
    lint_lists(found, clean)
    if found.lists and "rules" not in found.keys:
        said = (
            "lists come with the rules that see them: give `rules` too; `rules: []` withdraws all"
        )
        found.faults.append(found.lists[0].place("").fault(said))
    lists = [each.declared for each in found.lists if not faults_of_list(each.declared)]
    names = {*TYPES, *list_types(lists)}
    first: dict[str, WrittenRule] = {}
    for each in found.rules:
        for name, message in faults_of(each.rule, names):
            found.faults.append(each.place(name).fault(f"{name} {message}"))
        place = each.place("condition")
        for fault in language.faults(each.rule.condition, lists):
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
    """A rule, list or route: `added`, `removed`, or `changed` with (before, after) by field."""

    name: str
    kind: str
    fields: dict[str, tuple[object, object]]


def differences(before: Sequence[_Named], after: Sequence[_Named]) -> list[Change]:
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
    """Publishes rules, lists and routes to a log, once checked; `by` is who does."""

    log: EventLog
    language: RuleLanguage
    clean: Clean
    by: str

    @property
    def lists(self) -> ListPublisher:
        """Of the entries alone."""
        return ListPublisher(self.log, self.clean, self.by)

    def history(self, as_known_at: int | None = None) -> list[Published[RulesPublished]]:
        """The oldest first, up to a moment (microseconds UTC)."""
        return list(published(self.log, RulesPublished, as_known_at))

    def routes_history(self, as_known_at: int | None = None) -> list[Published[RoutesPublished]]:
        """As `history`."""
        return list(published(self.log, RoutesPublished, as_known_at))

    def diff(self, folder: Path) -> list[Change]:
        """From what is in force to the folder. Raises InvalidInputError for faults."""
        found, policy = self._checked(folder), current_policy(self.log)
        changes: list[Change] = []
        if "rules" in found.keys:
            rules, lists = (policy.rules.rules, policy.rules.lists) if policy.rules else ((), ())
            changes += differences(rules, [each.rule for each in found.rules])
            changes += differences(lists, [each.declared for each in found.lists])
            for name, other in self.lists.differences(found.entries).items():
                changes.append(Change(name, "changed", {"entries": other}))
        if "routes" in found.keys:
            changes += differences(policy.routes, [each.route for each in found.routes])
        return changes

    def publish(self, folder: Path, reason: str) -> list[str]:
        """What was put in force of `lists`, `rules` and `routes`; nothing where all is already.

        `lists` are their entries: each list with a file changes at a position of its own, and then
        come the rules that see them. Raises InvalidInputError for faults.
        """
        found = self._checked(folder)
        changed = ["lists"] if self.lists.replace_all(found, reason) else []
        now = now_us()
        rules, routes = [each.rule for each in found.rules], [each.route for each in found.routes]
        lists = [each.declared for each in found.lists]
        if "rules" in found.keys and publish_rules(
            self.log, rules, CATALOGUE.hash, reason, now, lists
        ):
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
                self.language.compile(each.fact.rules, each.fact.lists)
        return ["rules"] if take_back_rules(self.log, version, reason, now_us()) else []

    def _checked(self, folder: Path) -> RuleFiles:
        found = lint(folder, self.language, self.clean)
        if found.faults:
            raise InvalidInputError(
                "policy", "\n".join(map(str, ("not published:", *found.faults)))
            )
        return found
