"""Opening what backtests of policies need: the log with its history, the models, the rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser

from operations.backtest.policies.past import by_artefacts
from operations.backtest.runs.recorded import BacktestPorts
from runtime.composition.history import open_history
from runtime.composition.models import open_models, rule_language
from runtime.settings import Settings


@contextmanager
def open_backtests(settings: Settings) -> Iterator[BacktestPorts]:
    """Raises UnavailableError, IntegrityError for another log's archive."""
    with open_models(settings) as models, open_history(settings) as (_, history):
        score = by_artefacts(models.store.open)
        folder = settings.backtests_dir
        yield BacktestPorts(models, history, rule_language(), score, folder, getuser())
