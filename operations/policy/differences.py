"""Differences between the policy in force and what a folder or draft says."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from domain.events import DeclaredList, PolicyContent, Route, Rule, Suppression, Thresholds
from domain.policy.snapshot import PolicySnapshot

_Named = Rule | DeclaredList | Route | Suppression


@dataclass(frozen=True, slots=True)
class Change:
    """Of a rule, list, route, suppression, the thresholds or exploration: `added`, `removed`, or
    `changed` with (before, after) by field."""

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


def of_exploration(before: int, after: int) -> list[Change]:
    """Shares in basis points."""
    if before == after:
        return []
    kind = "removed" if not after else "changed" if before else "added"
    return [Change("exploration", kind, {"share": (before, after)})]


def changes_of(policy: PolicySnapshot, content: PolicyContent) -> list[Change]:
    """What publishing would change, but for the entries of lists."""
    changes: list[Change] = []
    if "rules" in content.keys:
        now = policy.rules
        changes += differences(now.rules if now else (), content.rules)
        changes += differences(now.lists if now else (), content.lists)
    if "thresholds" in content.keys:
        changes += of_thresholds(policy.published, content.thresholds)
    if "exploration" in content.keys:
        now_explored = policy.exploration.share if policy.exploration else 0
        changes += of_exploration(now_explored, content.exploration)
    if "routes" in content.keys:
        changes += differences(policy.routes, content.routes)
    if "suppressions" in content.keys:
        changes += differences(policy.suppressions, content.suppressions)
    return changes
