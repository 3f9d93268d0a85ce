"""Publishing of rules: lint, diff, publish, take back and history, over the files and the log."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path

from commands.policy.rules import PublishedRules, publish_rules, published_rules, take_back_rules
from commands.ports import RuleLanguage
from domain.errors import InvalidInputError, NotFoundError
from domain.events import Rule
from domain.features import CATALOGUE
from domain.policy.rules.rule_set import MOST_RULES, faults_of
from domain.rule_values import TYPES
from eventlog.port import EventLog
from host.clock import now_us
from operations.policy.rule_files import RuleFiles, WrittenRule, read_folder


def lint(folder: Path, language: RuleLanguage) -> RuleFiles:
    """The rules of a folder with all that is wrong with them, by file and line."""
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
    found.faults.sort()
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """A rule that is `added`, `removed` or `changed`, the latter with (before, after) by field."""

    name: str
    kind: str
    fields: dict[str, tuple[object, object]]


def differences(before: list[Rule], after: list[Rule]) -> list[Change]:
    """In the order of names. The order of rules is no difference in what they do."""
    old, new = ({rule.name: rule for rule in rules} for rules in (before, after))
    found = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            found.append(Change(name, "added" if name in new else "removed", {}))
        elif old[name] != new[name]:
            was, now = asdict(old[name]), asdict(new[name])
            keys = [each.name for each in fields(Rule) if was[each.name] != now[each.name]]
            found.append(Change(name, "changed", {key: (was[key], now[key]) for key in keys}))
    return found


@dataclass(frozen=True, slots=True)
class RulePublisher:
    """Publishes rules to a log, once checked."""

    log: EventLog
    language: RuleLanguage

    def in_force(self, as_known_at: int | None = None) -> PublishedRules:
        """Now, or as known at a moment (microseconds UTC). Raises NotFoundError before any."""
        sets = [
            each
            for each in published_rules(self.log)
            if as_known_at is None or each.known_time <= as_known_at
        ]
        if not sets:
            raise NotFoundError("published rule set", "now" if as_known_at is None else "then")
        return sets[-1]

    def history(self) -> list[PublishedRules]:
        """The oldest first."""
        return list(published_rules(self.log))

    def diff(self, folder: Path) -> list[Change]:
        """From the rules in force to those of the folder. Raises InvalidInputError for faults."""
        after = self._checked(folder)
        sets = self.history()
        return differences(sets[-1].fact.rules if sets else [], after)

    def publish(self, folder: Path, reason: str) -> bool:
        """False where these rules are in force already. Raises InvalidInputError for faults."""
        return publish_rules(self.log, self._checked(folder), CATALOGUE.hash, reason, now_us())

    def take_back(self, version: int, reason: str) -> bool:
        """As `publish`, of an earlier set, which is checked against what rules can see now."""
        for each in self.history():
            if each.version == version:
                self.language.compile(each.fact.rules)
        return take_back_rules(self.log, version, reason, now_us())

    def _checked(self, folder: Path) -> list[Rule]:
        found = lint(folder, self.language)
        if found.faults:
            raise InvalidInputError("rules", "\n".join(map(str, ("not published:", *found.faults))))
        return [each.rule for each in found.rules]
