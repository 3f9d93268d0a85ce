"""Publishing of the policy: lint, diff, publish, take back, history, over files and log."""

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from commands.alerts.routing import MOST_ROUTES
from commands.policy.drafts import draft_named, draft_policy, drafts
from commands.policy.routes import publish_routes
from commands.policy.rules import publish_rules
from commands.policy.suppressions import publish_suppressions
from commands.policy.thresholds import publish_exploration, publish_thresholds
from commands.policy.topic import Published, current_policy, published
from commands.ports import RuleLanguage
from domain.errors import InvalidInputError, NotFoundError
from domain.events import PolicyContent, PolicyDrafted, RoutesPublished, RulesPublished
from domain.features import CATALOGUE
from domain.policy.lists.declared import faults_of_list
from domain.policy.rules.rule_set import MOST_RULES, faults_of
from domain.rule_values import TYPES, list_types
from eventlog.port import EventLog
from host.clock import now_us
from operations.policy.differences import Change, changes_of
from operations.policy.feature_files import lint_features, refuse_outside_catalogue
from operations.policy.list_files import Clean
from operations.policy.list_publishing import ListPublisher, lint_lists
from operations.policy.rule_files import RuleFiles, WrittenRule, read_folder
from operations.policy.sets import KINDS, TAKE_BACK, PublishedSet, kinds_at, sets_of
from operations.policy.suppression_files import lint_suppressions
from operations.policy.together import Together

DEFAULT_FOLDER = Path(__file__).parent / "default"
"""The policy that ships with this version; in force once it is published."""


def lint(
    folder: Path, language: RuleLanguage, clean: Clean, in_force: Collection[str] | None = None
) -> RuleFiles:
    """What a folder holds, with all that is wrong with it, by file and line.

    Rules `in_force` are those that suppressions may name where the folder has none; None where it
    is not known.
    """
    found = read_folder(folder)
    lint_lists(found, clean)
    if "rules" not in found.keys:
        said = "come with the rules that see them: give `rules` too; `rules: []` withdraws all"
        places = [each.place("") for each in found.lists[:1]]
        found.faults += [place.fault(f"lists {said}") for place in places]
        places = [each.places[""] for each in found.features[:1]]
        found.faults += [place.fault(f"features {said}") for place in places]
    declared = lint_features(found.features, language, found.faults)
    language = language.knowing(declared)
    lists = [each.declared for each in found.lists if not faults_of_list(each.declared)]
    names = {*TYPES, *declared, *list_types(lists)}
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

    def drafts(self) -> list[Published[PolicyDrafted]]:
        """The last one of each name, the newest last."""
        return list(drafts(self.log).values())

    def diff(self, source: Path | str) -> list[Change]:
        """From what is in force to a folder, or to the draft of that name.

        Raises InvalidInputError for faults, NotFoundError for a draft that is not there.
        """
        content = self._content(source)
        entries = self.lists.differences(content.entries) if "rules" in content.keys else {}
        changes = changes_of(current_policy(self.log), content)
        return changes + [Change(n, "changed", {"entries": it}) for n, it in entries.items()]

    def draft(self, folder: Path, name: str, reason: str) -> int:
        """Keeps what a folder says under a name, for others to look at; decides nothing.

        Returns its position. Raises InvalidInputError for faults, and for more than a record holds.
        """
        content = self._checked(folder)
        return draft_policy(self.log, name, content, reason, self.by, now_us())

    def publish(self, source: Path | str, reason: str) -> list[str]:
        """Puts a folder, or the draft of that name, in force; otherwise as `diff`.

        Returns what was changed: `lists` and kinds of sets; nothing where all is in force already.
        `lists` are their entries: each list with a file changes at a position of its own, and then
        come the rules that see them, and the other sets.
        """
        found = self._content(source)
        changed = ["lists"] if self.lists.replace_all(found, reason) else []
        return changed + self._publish(found, reason)

    def publish_at(self, position: int, reason: str) -> list[str]:
        """All sets again as they were in force once the log had this position; entries of lists
        stay as they are. Raises NotFoundError for a position that the policy has not reached."""
        policy = current_policy(self.log)
        if not 0 <= position <= policy.version:
            raise NotFoundError("position of the policy", str(position))
        together = Together(self.log)
        changed = []
        for kind, sets in self.sets().items():
            then = [each.version for each in sets if each.version <= position]
            if then:
                changed += self._take_back(together, kind, then[-1], reason)
            elif sets:
                changed += self._gather(together, PolicyContent(keys=[kind]), reason)
        together.publish()
        return changed

    def _publish(self, found: PolicyContent, reason: str) -> list[str]:
        """All at one position: no decision sees one set without the others."""
        together = Together(self.log)
        changed = self._gather(together, found, reason)
        together.publish()
        return changed

    def _gather(self, together: Together, found: PolicyContent, reason: str) -> list[str]:
        log, now = together.log, now_us()
        publish: dict[str, Callable[[], bool]] = {
            "rules": lambda: publish_rules(
                log, found.rules, CATALOGUE.hash, reason, now, found.lists
            ),
            "thresholds": lambda: publish_thresholds(log, found.thresholds, reason, now),
            "exploration": lambda: publish_exploration(
                log, found.exploration, secrets.token_hex(8), reason, now
            ),
            "routes": lambda: publish_routes(log, found.routes, reason, now),
            "suppressions": lambda: publish_suppressions(log, found.suppressions, reason, now),
        }
        # A draft may be of before a feature went that its rules see.
        self.language.compile(found.rules, found.lists)
        return [kind for kind in KINDS if kind in found.keys and publish[kind]()]

    def take_back(self, version: int, reason: str) -> list[str]:
        """As `publish`, of the sets of an earlier position; rules are checked against what they can
        see now. Raises NotFoundError."""
        together = Together(self.log)
        kinds = kinds_at(self.sets(), version)
        changed = [k for kind in kinds for k in self._take_back(together, kind, version, reason)]
        together.publish()
        return changed

    def _take_back(self, together: Together, kind: str, version: int, reason: str) -> list[str]:
        for each in self.history() if kind == "rules" else ():
            if each.version == version:
                self.language.compile(each.fact.rules, each.fact.lists)
        return [kind] if TAKE_BACK[kind](together.log, version, reason, now_us()) else []

    def _content(self, source: Path | str) -> PolicyContent:
        if isinstance(source, Path):
            return self._checked(source)
        return draft_named(self.log, source).fact.content

    def _checked(self, folder: Path) -> PolicyContent:
        rules = current_policy(self.log).rules
        in_force = {each.name for each in rules.rules} if rules else set[str]()
        found = lint(folder, self.language, self.clean, in_force)
        if found.faults:
            raise InvalidInputError(
                "policy", "\n".join(map(str, ("not published:", *found.faults)))
            )
        refuse_outside_catalogue(found.content.features)
        return found.content
