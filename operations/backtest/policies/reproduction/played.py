"""The live policy as a backtest plays it, in the terms that decisions are recorded in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.policy.exploration import LETS_PASS
from domain.policy.rules.ruling import is_firm, words_of
from domain.policy.thresholds import SEVERITY
from domain.policy.verdict import MOST_REASONS
from operations.backtest.laying.decided import explored_text
from operations.backtest.policies.deciding import BY_RULES, Decisions, Part, paths
from operations.backtest.policies.past import Ints, Past
from operations.backtest.policies.silenced import silenced
from projections.replay.rules import Bools

Texts = NDArray[np.object_]
Columns = Mapping[str, Any]
"""By name (`path`, `model`, `score`, `outcome`, `reasons`, `suppressed`, `explored`) one item per
decision; what is none is an empty text."""

_DECLINE, _APPROVE = SEVERITY.index("decline"), SEVERITY.index("approve")


def recorded(past: Past, rows: Ints) -> dict[str, Any]:
    """Columns of the live decisions in `rows`."""
    live = past.decided
    texts = ("path", "model", "reasons", "suppressed", "explored")
    return {
        "score": live.scores[rows],
        "outcome": live.outcomes[rows],
        **{name: live.text(name, rows) for name in texts},
    }


def played(past: Past, made: Decisions) -> Iterator[tuple[Ints, Columns]]:
    """(rows, columns) of what was decided live, part by part."""
    numbers, names = silenced(past, made)
    silences = np.array([*names, ""], dtype=object)[numbers]
    for part in made.parts:
        live = np.flatnonzero(past.decided.made[part.rows])
        if not len(live):
            continue
        rows = part.rows[live]
        by_path = paths(past, part.rows, scored=bool(part.model_hash))
        explored, passed = _explored(past, made, part)
        reasons = _reasons(part, by_path, passed)
        outcomes = np.where(passed, _APPROVE, made.outcomes[part.rows])
        yield (
            rows,
            {
                "path": by_path[live],
                "model": np.full(len(rows), part.model_hash, dtype=object),
                "score": part.scores[live],
                "outcome": outcomes[live],
                "reasons": reasons[live],
                "suppressed": silences[rows],
                "explored": explored[live],
            },
        )


def _explored(past: Past, made: Decisions, part: Part) -> tuple[Texts, Bools]:
    """[rows] what came of exploration, as text, and whether it let the payment pass."""
    texts = np.full(len(part.rows), "", dtype=object)
    passed = np.zeros(len(part.rows), dtype=bool)
    arm = part.setting.exploration
    if arm is None or not part.model_hash:
        return texts, passed
    firm = np.zeros(len(part.rows), dtype=bool)
    for rule, fired in _fired(part):
        firm[fired] |= is_firm(rule)
    declined = (made.outcomes[part.rows] == _DECLINE) & past.decided.made[part.rows]
    for row in np.flatnonzero(declined & ~firm).tolist():
        found = arm.chance_of(str(past.made.transaction_ids[part.rows[row]]))
        texts[row], passed[row] = explored_text(found), found.explored
    return texts, passed


def _reasons(part: Part, by_path: Texts, passed: Bools) -> Texts:
    """[rows] codes in the order of a decision, those of the model and of flags left out."""
    rules = [rule for rule, _ in _fired(part)]
    first = [(LETS_PASS, passed), *((f"path.{each}", by_path == each) for each in BY_RULES)]
    holds = np.zeros((len(part.rows), len(first) + len(rules)), dtype=bool)
    for number, (_, rows) in enumerate([*first, *_fired(part)]):
        holds[rows, number] = True
    # Few combinations of rules act together: each is put into words once.
    kinds, numbers = np.unique(np.packbits(holds, axis=1), axis=0, return_inverse=True)
    told = []
    for kind in np.unpackbits(kinds, axis=1, count=holds.shape[1]).astype(bool):
        codes = [code for (code, _), held in zip(first, kind, strict=False) if held]
        acting = (rule for rule, held in zip(rules, kind[len(first) :], strict=True) if held)
        told.append(" ".join([*codes, *words_of(acting)][:MOST_REASONS]))
    found: Texts = np.array(told, dtype=object)[numbers.reshape(-1)]
    return found


def _fired(part: Part) -> list[tuple[Any, Ints]]:
    """The rules, each with the positions at which it acted."""
    rules = part.rule_set.rules if part.rule_set else ()
    return list(zip(rules, part.rulings.fired, strict=True))
