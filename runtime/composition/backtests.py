"""Opening what backtests of policies need: the log with its history, the models, the rules."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from typing import Literal, get_args

from domain.errors import InvalidInputError
from operations.backtest.engines.local import local_engine
from operations.backtest.engines.port import Engine
from operations.backtest.laying.lay_down import Means
from operations.backtest.policies.past import by_artefacts
from operations.backtest.runs.recorded import BacktestPorts
from runtime.composition.history import open_history
from runtime.composition.models import open_models, rule_language
from runtime.settings import Settings

Kind = Literal["local", "dask"]
ENGINES: tuple[Kind, ...] = get_args(Kind)


@contextmanager
def open_backtests(settings: Settings, engine: str = "local") -> Iterator[BacktestPorts]:
    """Raises UnavailableError, IntegrityError for another log's archive, InvalidInputError for an
    unknown engine, SettingsError for one that is not installed."""
    with (
        open_engine(settings, engine) as found,
        open_models(settings) as models,
        open_history(settings) as (_, history),
    ):
        score = by_artefacts(models.store.open)
        folder, means = settings.backtests_dir, Means(found, settings.backtest_memory_mb << 20)
        yield BacktestPorts(models, history, rule_language(), score, folder, getuser(), means)


@contextmanager
def open_engine(settings: Settings, engine: str) -> Iterator[Engine]:
    workers = settings.backtest_workers or os.cpu_count() or 1
    if engine == "dask":
        # A package of its own, which few installations have.
        from operations.backtest.engines.adapters.dask import dask_engine

        with dask_engine(settings.dask_scheduler, workers) as of_dask:
            yield of_dask
    elif engine == "local":
        with local_engine(workers) as local:
            yield local
    else:
        raise InvalidInputError("--engine", f"{engine!r} is none of {', '.join(ENGINES)}")
