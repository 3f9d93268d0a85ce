"""Command: publish a set of rules; and all that were ever published, to look at or replay."""

from collections.abc import Sequence
from threading import Lock

from commands.policy.topic import PolicyTopic, append_fact, current_policy, each_of, published
from domain.errors import InvalidInputError, NotFoundError
from domain.events import DeclaredList, Rule, RulesPublished
from domain.policy.rules.rule_set import MOST_RULES, hash_of
from eventlog.port import EventLog

SOURCE = "retrace/policy"


def rule_sets(log: EventLog) -> dict[int, list[Rule]]:
    """The rules of every set by its version. Raises LogUnavailableError."""
    return {each.version: each.fact.rules for each in published(log, RulesPublished)}


class KnownRuleSets:
    """As `rule_sets`, again and again: a call reads what has come since the one before.

    The entries of lists lie in the same topic, so that all of it is too much for each request.
    Thread-safe.
    """

    def __init__(self, log: EventLog) -> None:
        self._lock = Lock()
        self._topic = PolicyTopic(log)
        self._rules: dict[int, list[Rule]] = {}

    def read(self) -> dict[int, list[Rule]]:
        """Raises LogUnavailableError; another call goes on."""
        with self._lock:
            for offset, envelope in self._topic.read():
                for each in each_of(envelope.data):
                    if isinstance(each, RulesPublished):
                        self._rules[offset] = each.rules
            return dict(self._rules)


def publish_rules(
    log: EventLog,
    rules: list[Rule],
    feature_set: str,
    reason: str,
    known_time: int,
    lists: Sequence[DeclaredList] = (),
) -> bool:
    """Puts checked rules in force, all at once; False where they are in force already.

    `lists` are those that they may see.

    Raises InvalidInputError for too many, and LogUnavailableError, after which a repetition is
    harmless.
    """
    if len(rules) > MOST_RULES:
        raise InvalidInputError("rules", f"a set has at most {MOST_RULES} rules, not {len(rules)}")
    fact = RulesPublished(
        rules=rules,
        rules_hash=hash_of(rules, lists),
        feature_set=feature_set,
        reason=reason,
        lists=list(lists),
    )
    return _publish(log, fact, known_time)


def take_back_rules(log: EventLog, version: int, reason: str, known_time: int) -> bool:
    """Publishes an earlier set again; otherwise as `publish_rules`. Raises NotFoundError."""
    for each in published(log, RulesPublished):
        if each.version == version:
            earlier = each.fact
            fact = RulesPublished(
                rules=earlier.rules,
                rules_hash=earlier.rules_hash,
                feature_set=earlier.feature_set,
                reason=reason,
                took_back=version,
                lists=earlier.lists,
            )
            return _publish(log, fact, known_time)
    raise NotFoundError("published rule set", str(version))


def _publish(log: EventLog, fact: RulesPublished, known_time: int) -> bool:
    policy = current_policy(log)
    now = policy.rules
    if ((list(now.rules), list(now.lists)) if now else ([], [])) == (fact.rules, fact.lists):
        return False
    # A set may come back after another one, so the place in the log belongs to the id.
    event_id = f"{fact.NAME}/{fact.rules_hash}/{policy.version + 1}"
    append_fact(log, fact, event_id, SOURCE, "rules", known_time)
    return True
