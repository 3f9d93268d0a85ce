"""Write side: every command that Retrace takes, with its handler, and what handlers are given.

Commands about transactions and labels are handled as `handler(command, context)`; those about
models, features and model alerts take the log alone.
"""

from commands.context import Context
from commands.imports.handler import ImportPorts, ImportRows, import_rows
from commands.labels.label import LabelTransaction, label_transaction
from commands.models.lifecycle import (
    end_shadow,
    promote_model,
    register_model,
    retire_model,
    roll_out_model,
    shadow_model,
)
from commands.transactions.decide import DecideTransaction, decide_transaction
from commands.transactions.score import ScoreTransaction, score_transaction
from commands.transactions.submit import Receipt, SubmitTransaction, submit_transaction

__all__ = [
    "Context",
    "DecideTransaction",
    "ImportPorts",
    "ImportRows",
    "LabelTransaction",
    "Receipt",
    "ScoreTransaction",
    "SubmitTransaction",
    "decide_transaction",
    "end_shadow",
    "import_rows",
    "label_transaction",
    "promote_model",
    "register_model",
    "retire_model",
    "roll_out_model",
    "score_transaction",
    "shadow_model",
    "submit_transaction",
]
