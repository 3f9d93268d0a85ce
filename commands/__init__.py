"""Owns what may be asked of Retrace: commands, their handlers, and the ports they need."""

from commands.context import Context
from commands.intake.cleaner import Edge
from commands.labels.label import LabelTransaction, label_transaction
from commands.transactions.score import (
    DecideTransaction,
    ScoreTransaction,
    decide_transaction,
    score_transaction,
)
from commands.transactions.submit import Receipt, SubmitTransaction, submit_transaction

# The index: who answers which command.
COMMAND_HANDLERS = {
    SubmitTransaction: submit_transaction,
    ScoreTransaction: score_transaction,
    DecideTransaction: decide_transaction,
    LabelTransaction: label_transaction,
}

__all__ = [
    "COMMAND_HANDLERS",
    "Context",
    "DecideTransaction",
    "Edge",
    "LabelTransaction",
    "Receipt",
    "ScoreTransaction",
    "SubmitTransaction",
    "decide_transaction",
    "label_transaction",
    "score_transaction",
    "submit_transaction",
]
