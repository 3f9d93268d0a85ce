"""Write side: every command that Retrace takes, with its handler, and what handlers are given.

Commands about transactions and labels are handled as `handler(command, context)`; those about
models, features, lists, model alerts and dead letters take the log alone.
"""

from commands.cases.handle import HandleCase, handle_case
from commands.context import Context
from commands.dead_letters import retry_dead_letter
from commands.features.activate import activate_features
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
from commands.models.raise_alert import raise_model_alert
from commands.policy.lists.change import ChangeList, change_list
from commands.transactions.decide import DecideTransaction, decide_transaction
from commands.transactions.score import ScoreTransaction, score_transaction
from commands.transactions.step_up import ConcludeStepUp, conclude_step_up
from commands.transactions.submit import Receipt, SubmitTransaction, submit_transaction

__all__ = [
    "ChangeList",
    "ConcludeStepUp",
    "Context",
    "DecideTransaction",
    "HandleCase",
    "ImportPorts",
    "ImportRows",
    "LabelTransaction",
    "Receipt",
    "ScoreTransaction",
    "SubmitTransaction",
    "activate_features",
    "change_list",
    "conclude_step_up",
    "decide_transaction",
    "end_shadow",
    "handle_case",
    "import_rows",
    "label_transaction",
    "promote_model",
    "raise_model_alert",
    "register_model",
    "retire_model",
    "retry_dead_letter",
    "roll_out_model",
    "score_transaction",
    "shadow_model",
    "submit_transaction",
]
