"""Owns the stages before the live part: history, projections, model. Each is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from commands.models.lifecycle import current_policy
from domain.errors import InvalidInputError
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS
from local.demo import history, remembered
from local.demo.catching_up import catch_up
from local.demo.children import answer_of
from local.demo.data import DataFile
from local.demo.live.screen import Bars
from local.demo.plan import DemoRequest, HistoryPlan, plan_history
from local.demo.remembered import Remembered
from operations.models.default_model import serves
from operations.monitoring.projection_lag import ProjectionPositions, lags
from runtime.composition.intake import cleaner_of
from runtime.composition.models import artefacts_of
from runtime.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stages:
    """What was remembered is held against the log first, and saved after each stage."""

    settings: Settings
    log: EventLog
    clock: Callable[[], int]
    say: Say
    bars: Callable[[], Bars]

    def lay_history(self, known: Remembered, request: DemoRequest) -> Remembered:
        """All of the simulated history is in the log when it returns. Raises UnavailableError."""
        plan = known.history
        there = history.present(self.log, plan.id_prefix) if plan else set[str]()
        if plan is None or not there:
            plan = plan_history(self.clock(), request)
            known = self._keep(Remembered(history=plan))
        if request.days not in (None, plan.days):
            raise InvalidInputError(
                "--days",
                f"{self.settings.state_dir} holds a history of {plan.days} days already: leave "
                "--days out, or begin anew (`./retrace down`, then remove that folder)",
            )
        if known.transactions is not None and known.transactions == len(there):
            self.say(f"{len(there):,} transactions of history are in the log already.")
            return known
        return self._keep(replace(known, transactions=self._lay_down(plan, there)))

    def _lay_down(self, plan: HistoryPlan, there: set[str]) -> int:
        self.say(f"Laying down {plan.days} days of simulated history")
        total = history.expected(plan)
        with self.bars() as bars:
            laid = history.lay_down(
                plan,
                self.log,
                cleaner_of(self.settings),
                self.clock(),
                there,
                lambda done: bars.show("history", done, total),
            )
        found = f"{laid.transactions:,} transactions and {laid.labels:,} labels"
        rest = f"; {len(there):,} were there already" if there else ""
        self.say(f"{found} are in the log{rest}.")
        return laid.transactions

    def take_data(self, known: Remembered, data: DataFile, request: DemoRequest) -> Remembered:
        """As `lay_history`, for the first rows of a file, through `retrace ingest`."""
        laid_down = known.transactions if known.data == data.identity else None
        if laid_down is not None and len(history.present(self.log, "")) >= laid_down:
            self.say(f"{laid_down:,} rows of {data.path} are in the log already.")
            return known
        known = self._keep(Remembered(data=data.identity))
        self.say(f"Taking in the first {data.history:,} rows of {data.path}")
        options = ["--limit", str(data.history)]
        for entry in request.mapping:
            options += ["--map", entry]
        if request.label is not None:
            options += ["--label", request.label, "--label-delay", request.label_delay]
        laid = answer_of(["ingest", str(data.path.absolute()), *options], self.settings)
        self.say(f"{laid['accepted']:,} transactions and {laid['labels']:,} labels are in the log.")
        return self._keep(replace(known, transactions=int(laid["accepted"])))

    def catch_up(self, positions: ProjectionPositions) -> None:
        """Every projection has what is in the log when it returns. Raises UnavailableError."""
        first: dict[str, int] = {}

        def found() -> dict[str, int]:
            ends = asyncio.run(_ends(self.log))
            return lags(positions.read(), ends)

        with self.bars() as bars:

            def shown(late: Mapping[str, int]) -> None:
                for name, lag in late.items():
                    first.setdefault(name, lag)
                    bars.show(name, max(0, first[name] - lag), first[name])

            catch_up(found, shown, self.settings.state_dir / "logs")

    def train(self, known: Remembered) -> Remembered:
        """A model trained on this history is in force, unless the user has put another there."""
        model = current_policy(self.log).model
        usable = model is not None and serves(artefacts_of(self.settings), model.model_hash)
        if usable and known.model_id is not None and model is not None:
            whose = "" if model.model_id == known.model_id else ", put there by somebody"
            self.say(f"Model {model.model_id} is in force{whose}.")
            return replace(known, model_id=model.model_id)
        self.say("Training a model on what is known now")
        trained = answer_of(["train"], self.settings)
        self.say(
            f"Model {trained['model_id']} is in force: {trained['frauds']:,} frauds and"
            f" {trained['genuine']:,} genuine ones were known."
        )
        return self._keep(replace(known, model_id=str(trained["model_id"])))

    def _keep(self, known: Remembered) -> Remembered:
        remembered.save(self.settings.state_dir, known)
        return known


async def _ends(log: EventLog) -> list[int]:
    return list(await log.ends(TRANSACTIONS))
