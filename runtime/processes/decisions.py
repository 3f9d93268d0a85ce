"""`decisions` worker: inbox, scoring agent, label retry and alert webhook."""

from functools import partial

import httpx

from commands import (
    Context,
    DecideTransaction,
    SubmitTransaction,
    decide_transaction,
    submit_transaction,
)
from commands.agents.alert_webhook import AlertWebhook
from commands.agents.inbox import InboxAgent
from commands.agents.label_retry import LabelRetry
from commands.agents.parked_labels import ParkedLabels
from commands.agents.scoring_agent import ScoringAgent
from commands.intake.payload import parse_payload
from commands.labels.label import READER
from commands.labels.retry import open_early_label, record_early_label
from domain.errors import InvalidInputError, RetraceError
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.dead_letters import DeadRecord, dead_letter
from eventlog.topics import ALERTS, DEAD_LETTERS, INBOX_TRANSACTIONS, TRANSACTIONS, Topic
from projections.ports import BatchHandler, Workload
from runtime.composition.decider import open_context
from runtime.processes.workload import Tools
from runtime.settings import Settings

INBOX_READER = "ingress"
"""As dead letters name it."""
_CATCH_UP_SECONDS = 3600.0


def decisions(tools: Tools) -> Workload:
    """Raises LogUnavailableError where Kafka does not answer."""
    settings = tools.settings
    context = tools.closing.enter_context(open_context(settings, tools.name, tools.log))

    def positions(name: str) -> SqliteMemory:
        memory = SqliteMemory(tools.worker.ledgers / f"{tools.name}-{name}.sqlite")
        tools.closing.callback(memory.close)
        return memory

    agent = ScoringAgent(
        context.log,
        context.ledger,
        positions("deciding"),
        lambda transaction_id: decide_transaction(DecideTransaction(transaction_id), context),
        context.source,
        context.clock,
    )
    parked = ParkedLabels(tools.worker.ledgers / f"{tools.name}-parked-labels.sqlite")
    tools.closing.callback(parked.close)
    retry = LabelRetry(
        READER,
        parked,
        open_early_label(settings.dead_letter_key),
        record_early_label(context),
        context.ledger,
        context.clock,
    )
    handlers: dict[Topic, BatchHandler] = {
        INBOX_TRANSACTIONS: _inbox_agent(settings, context, positions("inbox")),
        TRANSACTIONS: agent,
        DEAD_LETTERS: retry,
    }
    if settings.webhook_url:
        handlers[ALERTS] = AlertWebhook(
            context.log,
            positions("delivery"),
            httpx.AsyncClient(timeout=10.0),
            settings.webhook_url,
            context.source,
            context.clock,
        )
    return Workload(
        handlers,
        beside=[agent.decide_overdue, retry.retry_due, context.ledger.failed],
        first=partial(context.ledger.barrier, within=_CATCH_UP_SECONDS),
    )


def _inbox_agent(settings: Settings, context: Context, positions: SqliteMemory) -> InboxAgent:
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
        await dead_letter(context.log, record, settings.dead_letter_key, context.clock)

    return InboxAgent(positions, submit, set_aside, settings.inbox_unwrap)
