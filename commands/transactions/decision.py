"""Decision of one transaction: features, model, policy. Appends nothing."""

import asyncio
import logging
from dataclasses import dataclass, field, replace
from time import perf_counter_ns

from commands.context import Context
from commands.policy.active import ActivePolicy
from commands.ports.features import ServedFeatures
from commands.ports.scorer import Scorer
from commands.transactions.rules import applied_rules
from domain.cleaning.absent import dropped_flags
from domain.errors import LogUnavailableError, SettingsError, UnavailableError
from domain.events import Envelope, Path, TransactionScored, transaction_event_id
from domain.features import CATALOGUE, finish
from domain.policy.fallback import fallback
from domain.policy.score import Score
from domain.policy.suppressions import suppression_of
from domain.policy.verdict import decide
from domain.transactions import Transaction

logger = logging.getLogger(__name__)

RULES_ONLY = "rules-only"


@dataclass(slots=True)
class StepTimes:
    """Microseconds spent per step, in the order of the steps."""

    micros: dict[str, int] = field(default_factory=dict)
    _last: int = field(default_factory=perf_counter_ns)

    def done(self, step: str) -> None:
        now = perf_counter_ns()
        self.micros[step] = (now - self._last) // 1000
        self._last = now


@dataclass(frozen=True, slots=True)
class Scoring:
    """`scorer` is the model that scored; None where the rules did."""

    score: Score
    path: Path
    flags: list[str]
    scorer: Scorer | None


async def make_decision(submission: Envelope, context: Context) -> Envelope:
    """Decides under one snapshot of policy. Raises LogUnavailableError."""
    times = StepTimes()
    until = asyncio.get_running_loop().time() + context.deadline
    policy = context.policy()
    transaction: Transaction = submission.data.transaction
    path, served = await _read_features(transaction, context, until, times)
    served.flags.extend(dropped_flags(transaction.attributes))
    chosen = _chosen(policy, transaction, path, served)
    scoring = await _score(transaction, chosen, path, served, context, until)
    if scoring.scorer is None and chosen is not policy:
        # Rules never replace a challenger: what it cannot score, the model in force scores.
        chosen = policy
        scoring = await _score(transaction, policy, path, served, context, until)
    times.done("score")
    scored = _scored(submission, chosen, served, scoring, times)
    return Envelope(
        id=transaction_event_id(TransactionScored, transaction.transaction_id),
        # A rehearsal is decided as of the time that its import states.
        source=submission.source if submission.imported else context.source,
        subject=transaction.transaction_id,
        time=submission.time,
        known_time=submission.known_time if submission.imported else context.clock(),
        data=scored,
        correlation_id=submission.correlation_id,
        causation_id=submission.id,
    )


async def _read_features(
    transaction: Transaction, context: Context, until: float, times: StepTimes
) -> tuple[Path, ServedFeatures]:
    try:
        async with asyncio.timeout_at(until):
            served = await context.features.read(transaction)
    except TimeoutError:
        return "deadline", _no_features(transaction, "deadline_passed")
    except LogUnavailableError:
        raise
    except Exception:
        # A retry would not help: the scoring agent reads the same states.
        logger.exception("features cannot be read; defaults are used")
        served = _no_features(transaction, "features_unavailable")
    finally:
        times.done("features")
    if "features_unavailable" in served.flags:
        return "fallback", served
    return "full", served


def _no_features(transaction: Transaction, flag: str) -> ServedFeatures:
    return ServedFeatures(CATALOGUE, finish({}, transaction), {}, [flag])


def _chosen(
    policy: ActivePolicy, transaction: Transaction, path: Path, served: ServedFeatures
) -> ActivePolicy:
    """The challenger where the transaction falls to it, unless it cannot take these features."""
    chosen = policy.of(transaction.transaction_id)
    if path != "full" or chosen is policy or chosen.scorer is None:
        return policy
    return policy if _inputs(chosen.scorer, served) is None else chosen


def _inputs(scorer: Scorer, served: ServedFeatures) -> list[float | None] | None:
    try:
        return scorer.inputs.of(served.features, served.values)
    except SettingsError as error:
        logger.error("%s", error)
        return None


async def _score(
    transaction: Transaction,
    policy: ActivePolicy,
    path: Path,
    served: ServedFeatures,
    context: Context,
    until: float,
) -> Scoring:
    """By the model, or by rules where it fails or is late: no decision is lost."""
    rules = fallback(transaction)
    if path != "full":
        return Scoring(rules, path, list(served.flags), None)
    scorer = policy.scorer
    if scorer is None:
        return Scoring(rules, "fallback", [*served.flags, "no_model"], None)
    values = _inputs(scorer, served)
    if values is None:
        return Scoring(rules, "fallback", [*served.flags, "model_refuses_features"], None)
    try:
        score = await _asked(scorer, transaction, values, context, until)
        return Scoring(score, path, list(served.flags), scorer)
    except TimeoutError:
        return Scoring(rules, "deadline", [*served.flags, "model_late"], None)
    except UnavailableError as error:
        # The scorer has logged it; here a burst would log it a thousand times.
        logger.debug("rules decide: %s", error)
        return Scoring(rules, "fallback", [*served.flags, "model_unavailable"], None)
    except Exception:
        logger.exception("model %s cannot score; rules decide", scorer.model_id)
        return Scoring(rules, "fallback", [*served.flags, "model_failed"], None)


async def _asked(
    scorer: Scorer,
    transaction: Transaction,
    values: list[float | None],
    context: Context,
    until: float,
) -> Score:
    if not scorer.blocking:
        return scorer.score(transaction, values)
    async with asyncio.timeout_at(until):
        return await asyncio.get_running_loop().run_in_executor(
            context.pool, scorer.score, transaction, values
        )


def _scored(
    submission: Envelope,
    policy: ActivePolicy,
    served: ServedFeatures,
    scoring: Scoring,
    times: StepTimes,
) -> TransactionScored:
    scorer = scoring.scorer
    transaction: Transaction = submission.data.transaction
    flags, path, score = scoring.flags, scoring.path, scoring.score
    ruled = applied_rules(policy, transaction, served, flags, path, score.value)
    ruling, applied = ruled or (None, None)
    verdict = decide(score, policy.snapshot, path, flags, ruling, transaction.transaction_id)
    times.done("policy")
    made = TransactionScored(
        transaction=transaction,
        digest=submission.data.digest,
        score=score.value,
        outcome=verdict.outcome,
        reasons=verdict.reasons,
        path=path,
        flags=flags,
        feature_set=served.feature_set,
        features=served.values,
        versions=served.versions,
        model_id=scorer.model_id if scorer else RULES_ONLY,
        model_hash=scorer.model_hash if scorer else "",
        policy_version=policy.snapshot.version,
        thresholds=verdict.thresholds,
        fingerprint=scorer.fingerprint if scorer else "",
        timings_us=times.micros,
        rules=applied,
        exploration=verdict.exploration,
    )
    known = policy.snapshot
    silenced = suppression_of(made, known.suppressions, known.rules)
    return replace(made, suppressed_by=silenced) if silenced else made
