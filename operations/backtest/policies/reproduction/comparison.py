"""Comparison of the live policy, as a backtest plays it, with the recorded live decisions.

| cause | a decision differs because |
|---|---|
| fallback | live the fallback rules decided it: features or model were away |
| deadline | live they did, as time had run out |
| rules | live its rules could not be evaluated |
| policy | it names a version of the policy that the log read here has not |
| model | another model scored it than the policy of its version names |
| features | a feature was served as another value than the one that the backtest took |
| runtime | another machine or library scored it: bits are promised on an equal fingerprint |
| unknown | none of these |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from domain.policy.rules.ruling import RULES_FAILED
from domain.policy.thresholds import SEVERITY
from domain.times import to_rfc3339
from inference.serving.graph import kernel
from inference.serving.machine import cpu_features
from operations.backtest.laying.decided import same_bits
from operations.backtest.policies.deciding import Decisions
from operations.backtest.policies.past import Past
from operations.backtest.policies.reproduction.played import played, recorded
from projections.replay.rules import Bools

Cause = Literal[
    "fallback", "deadline", "rules", "policy", "model", "features", "runtime", "unknown"
]
MOST_TOLD = 1_000


def reproduction(past: Past, live: Decisions, version: int, *, served: bool) -> dict[str, Any]:
    """Plain values: how the `live` policy, whose newest version is `version`, decides what was
    decided live; `served` where it took the vectors of these decisions.

    A decision differs where its score (to the bit), outcome, rules' reasons, path, model,
    suppression or exploration does. The first MOST_TOLD of these are told, in known order.
    """
    found: list[dict[str, Any]] = []
    for rows, columns in played(past, live):
        before = recorded(past, rows)
        differ = {name: ~_same(before[name], made) for name, made in columns.items()}
        for at in np.flatnonzero(np.logical_or.reduce(list(differ.values()))).tolist():
            names = [name for name, other in differ.items() if other[at]]
            both = {name: (before[name][at], columns[name][at]) for name in names}
            cause, detail = _cause(past, int(rows[at]), both, version, served=served)
            found.append({"row": int(rows[at]), "cause": cause, "detail": detail, "what": both})
    found.sort(key=lambda each: each["row"])
    number, causes = int(past.decided.made.sum()), Counter(each["cause"] for each in found)
    return {
        "decisions": number,
        "reproduced": number - len(found),
        "different": len(found),
        "causes": dict(causes.most_common()),
        "served_behind": int((past.decided.stale >= 0).sum()),
        "differences": [_told(past, each) for each in found[:MOST_TOLD]],
    }


def _same(a: Any, b: Any) -> Bools:
    return same_bits(a, b) if a.dtype == np.float64 else np.asarray(a == b, dtype=bool)


def _cause(
    past: Past, row: int, both: Mapping[str, tuple[Any, Any]], version: int, *, served: bool
) -> tuple[Cause, str]:
    """(cause, what more there is to say of it)."""
    live, one = past.decided, np.array([row])
    flags = str(live.text("flags", one)[0])
    if live.versions[row] > version:
        return "policy", f"version {live.versions[row]}, and the log is read to {version}"
    path = str(live.text("path", one)[0])
    if path != "full" and ("path" in both or not live.served[row]):
        return ("deadline" if path == "deadline" else "fallback"), flags
    if RULES_FAILED in flags.split():
        return "rules", flags
    if "model" in both:
        return "model", ""
    if not live.served[row]:
        return "features", "of a set that this version does not know"
    if not served and live.stale[row] >= 0:
        return "features", _stale(past, row)
    mine, theirs = f"{kernel()}/{cpu_features()}", str(live.text("fingerprint", one)[0])
    if "score" in both and theirs not in ("", mine):
        return "runtime", theirs
    return "unknown", ""


def _stale(past: Past, row: int) -> str:
    place = int(past.decided.stale[row])
    served, ideal = float(past.decided.stale_values[row]), float(past.made.values[row, place])
    return f"{past.made.features.names[place]} {_number(served)} and not {_number(ideal)}"


def _number(value: float) -> str:
    return "unknown" if value != value else f"{value!r}"


def _told(past: Past, found: Mapping[str, Any]) -> dict[str, Any]:
    row, what = found["row"], found["what"]
    return {
        "transaction_id": str(past.made.transaction_ids[row]),
        "timestamp": to_rfc3339(int(past.made.times[row])),
        "policy_version": int(past.decided.versions[row]),
        "cause": found["cause"],
        "detail": found["detail"],
        "recorded": {name: _plain(name, mine) for name, (mine, _) in what.items()},
        "played": {name: _plain(name, made) for name, (_, made) in what.items()},
    }


def _plain(name: str, value: Any) -> Any:
    if name == "outcome":
        return SEVERITY[int(value)]
    return float(value) if name == "score" else str(value) or None
