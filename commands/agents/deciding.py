"""Agents of a process that decides, put together over its context."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from commands.agents.alert_delivery import AlertDelivery, Delivery
from commands.agents.inbox import InboxAgent
from commands.agents.label_retry import LabelRetry
from commands.agents.parked_labels import ParkedLabels
from commands.agents.scoring_agent import ScoringAgent
from commands.context import Context
from commands.intake.payload import parse_payload
from commands.labels.label import READER
from commands.labels.retry import open_early_label, record_early_label
from commands.transactions.decide import DecideTransaction, decide_transaction
from commands.transactions.submit import SubmitTransaction, submit_transaction
from domain.errors import InvalidInputError, RetraceError
from eventlog.admission.first_wins import KeptMemory
from eventlog.dead_letters import DeadRecord, dead_letter
from eventlog.topics import ALERTS, DEAD_LETTERS, INBOX_TRANSACTIONS, TRANSACTIONS, Topic

INBOX_READER = "ingress"
"""As dead letters name it."""
Agent = AlertDelivery | InboxAgent | LabelRetry | ScoringAgent
Memories = Callable[[str], KeptMemory]
"""Opens the positions of an agent by its name."""


@dataclass(frozen=True, slots=True)
class DecidingAgents:
    """`handlers` by topic; `beside` run as long as the process does, or end it."""

    handlers: dict[Topic, Agent]
    beside: Sequence[Callable[[], Awaitable[None]]]


def deciding_agents(
    context: Context,
    memories: Memories,
    parked: ParkedLabels,
    key: bytes,
    delivery: Delivery,
    alive: Callable[[], None],
    unwrap: bool = False,
) -> DecidingAgents:
    """`key` seals dead letters. `alive` is called while work goes on that takes long.

    The ledger of `context` follows nothing yet: the scoring agent has it follow what is assigned.
    """
    agent = ScoringAgent(
        context.log,
        context.ledger,
        memories("deciding"),
        lambda transaction_id: decide_transaction(DecideTransaction(transaction_id), context),
        context.source,
        context.clock,
        alive,
    )
    retry = LabelRetry(
        READER,
        parked,
        open_early_label(key),
        record_early_label(context),
        context.ledger,
        context.clock,
    )
    handlers: dict[Topic, Agent] = {
        # First: what is ours of it, the ledger follows, and the others ask the ledger.
        TRANSACTIONS: agent,
        INBOX_TRANSACTIONS: _inbox_agent(context, memories("inbox"), key, unwrap),
        DEAD_LETTERS: retry,
        ALERTS: AlertDelivery(
            context.log, memories("delivery"), delivery, context.source, context.clock
        ),
    }
    beside = [
        *(agent.decide_overdue, retry.retry_due),
        *(context.ledger.failed, context.features.keep_vouching),
    ]
    return DecidingAgents(handlers, beside)


def _inbox_agent(context: Context, positions: KeptMemory, key: bytes, unwrap: bool) -> InboxAgent:
    async def submit(value: bytes) -> None:
        payload, raw = parse_payload(value)
        command = SubmitTransaction(payload=payload, raw=raw, mode="submit")
        await submit_transaction(command, context)

    async def set_aside(
        origin: str, partition: int, offset: int, error: RetraceError, value: bytes
    ) -> None:
        record = DeadRecord(
            reader=INBOX_READER,
            origin=origin,
            partition=partition,
            offset=offset,
            reason=str(error),
            original=value,
            field=error.field if isinstance(error, InvalidInputError) else None,
        )
        await dead_letter(context.log, record, key, context.clock)

    ledger, partition_of = context.ledger, partial(context.log.partition_of, TRANSACTIONS)
    return InboxAgent(positions, submit, set_aside, ledger.followed, partition_of, unwrap)
