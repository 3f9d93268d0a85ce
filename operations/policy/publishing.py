"""Publishing of the policy: lint, diff, publish, take back, history, over files and log."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from commands.alerts.routing import MOST_ROUTES
from commands.policy.routes import publish_routes
from commands.policy.rules import publish_rules
from commands.policy.suppressions import publish_suppressions
from commands.policy.thresholds import publish_thresholds
from commands.policy.topic import Published, current_policy, published
from commands.ports import RuleLanguage
from domain.errors import InvalidInputError
from domain.events import (
    DeclaredList,
    PolicyContent,
    Route,
    RoutesPublished,
    Rule,
    RulesPublished,
    Suppression,
    Thresholds,
)
from domain.features import CATALOGUE
from domain.policy.lists.declared import faults_of_list
from domain.policy.rules.rule_set import MOST_RULES, faults_of
from domain.rule_values import TYPES, list_types
from eventlog.port import EventLog
from host.clock import now_us
from operations.policy.list_files import Clean
from operations.policy.list_publishing import ListPublisher, lint_lists
from operations.policy.rule_files import RuleFiles, WrittenRule, read_folder
from operations.policy.sets import KINDS, TAKE_BACK, PublishedSet, kind_at, sets_of
from operations.policy.suppression_files import lint_suppressions

DEFAULT_FOLDER = Path(__file__).parent / "default"
"""The policy that ships with this version; in force once it is published."""

_Named = Rule | DeclaredList | Route | Suppression


def lint(
    folder: Path, language: RuleLanguage, clean: Clean, in_force: Collection[str] | None = None
) -> RuleFiles:
    """What a folder holds, with all that is wrong with it, by file and line.

    Rules `in_force` are those that suppressions may name where the folder has none; None where it
    is not known.
    """
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
    rules = {each.rule.name for each in found.rules} if "rules" in found.keys else in_force
    lint_suppressions(found.suppressions, rules, clean, found.faults)
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
    """Of a rule, list, route, suppression or the thresholds: `added`, `removed`, or `changed` with
    (before, after) by field."""

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


def of_thresholds(before: Thresholds | None, after: Thresholds | None) -> list[Change]:
    """From none of their own the model's are overridden, and to none they count again."""
    if before == after:
        return []
    was, now = (asdict(each) if each else {} for each in (before, after))
    kind = "removed" if after is None else "changed" if before else "added"
    fields = {key: (was.get(key), now.get(key)) for key in now if was.get(key) != now[key]}
    return [Change("thresholds", kind, fields)]


@dataclass(frozen=True, slots=True)
class RulePublisher:
    """Publishes the sets and lists of the policy to a log, once checked; `by` is who does."""

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

    def sets(self, as_known_at: int | None = None) -> dict[str, list[PublishedSet]]:
        """As `history`, by kind."""
        return sets_of(self.log, as_known_at)

    def diff(self, folder: Path) -> list[Change]:
        """From what is in force to the folder. Raises InvalidInputError for faults."""
        found, policy = self._checked(folder), current_policy(self.log)
        changes: list[Change] = []
        if "rules" in found.keys:
            rules, lists = (policy.rules.rules, policy.rules.lists) if policy.rules else ((), ())
            changes += differences(rules, found.rules)
            changes += differences(lists, found.lists)
            for name, other in self.lists.differences(found.entries).items():
                changes.append(Change(name, "changed", {"entries": other}))
        if "thresholds" in found.keys:
            changes += of_thresholds(policy.published, found.thresholds)
        if "routes" in found.keys:
            changes += differences(policy.routes, found.routes)
        if "suppressions" in found.keys:
            changes += differences(policy.suppressions, found.suppressions)
        return changes

    def publish(self, folder: Path, reason: str) -> list[str]:
        """What was put in force: `lists` and kinds of sets; nothing where all is already.

        `lists` are their entries: each list with a file changes at a position of its own, and then
        come the rules that see them, and the other sets. Raises InvalidInputError for faults.
        """
        found = self._checked(folder)
        changed = ["lists"] if self.lists.replace_all(found, reason) else []
        log, now = self.log, now_us()
        publish: dict[str, Callable[[], bool]] = {
            "rules": lambda: publish_rules(
                log, found.rules, CATALOGUE.hash, reason, now, found.lists
            ),
            "thresholds": lambda: publish_thresholds(log, found.thresholds, reason, now),
            "routes": lambda: publish_routes(log, found.routes, reason, now),
            "suppressions": lambda: publish_suppressions(log, found.suppressions, reason, now),
        }
        return changed + [kind for kind in KINDS if kind in found.keys and publish[kind]()]

    def take_back(self, version: int, reason: str) -> list[str]:
        """As `publish`, of an earlier set, which is checked against what rules can see now.

        Raises NotFoundError.
        """
        kind = kind_at(self.sets(), version)
        for each in self.history() if kind == "rules" else ():
            if each.version == version:
                self.language.compile(each.fact.rules, each.fact.lists)
        return [kind] if TAKE_BACK[kind](self.log, version, reason, now_us()) else []

    def _checked(self, folder: Path) -> PolicyContent:
        rules = current_policy(self.log).rules
        in_force = {each.name for each in rules.rules} if rules else set[str]()
        found = lint(folder, self.language, self.clean, in_force)
        if found.faults:
            raise InvalidInputError(
                "policy", "\n".join(map(str, ("not published:", *found.faults)))
            )
        return found.content
