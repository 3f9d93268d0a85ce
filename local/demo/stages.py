"""Stages before live traffic: history, projections, model. Each one is done once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from commands.policy.topic import current_policy
from domain.errors import InvalidInputError
from eventlog.port import EventLog
from local.demo import demo_state, history
from local.demo.data_file import DataFile, ingest_arguments
from local.demo.demo_state import DemoState
from local.demo.live.screen import Bars
from local.demo.plan import DemoRequest, HistoryPlan, plan_history
from local.demo.projection_progress import lags_behind, wait_for_projections
from local.demo.subprocesses import json_output_of
from operations.models.default_model import serves
from operations.monitoring.projection_lag import PositionReaders
from operations.training.results import NOT_IN_FORCE
from runtime.composition.intake import cleaner_of
from runtime.composition.models import artefacts_of
from runtime.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stages:
    """Each stage first checks the state against the log, and saves it at its end."""

    settings: Settings
    log: EventLog
    clock: Callable[[], int]
    say: Say
    bars: Callable[[], Bars]

    def import_history(self, state: DemoState, request: DemoRequest) -> DemoState:
        """Returns once all of the simulated history is in the log. Raises UnavailableError."""
        plan = state.history
        there = history.imported_ids(self.log, plan.id_prefix) if plan else set[str]()
        if plan is None or not there:
            plan = plan_history(self.clock(), request)
            state = self._keep(DemoState(history=plan))
        if request.days not in (None, plan.days):
            raise InvalidInputError(
                "--days",
                f"{self.settings.state_dir} already holds a history of {plan.days} days: leave "
                "--days out, or run `./retrace down` and remove that folder to start again",
            )
        if state.transactions is not None and state.transactions == len(there):
            self.say(f"{len(there):,} transactions of history are already in the log.")
            return state
        return self._keep(replace(state, transactions=self._import(plan, there)))

    def _import(self, plan: HistoryPlan, present: set[str]) -> int:
        self.say(f"Importing {plan.days} days of simulated history")
        total = history.expected_transactions(plan)
        with self.bars() as bars:
            imported = history.import_history(
                plan,
                self.log,
                cleaner_of(self.settings),
                self.clock(),
                present,
                lambda done: bars.show("history", done, total),
            )
        found = f"{imported.transactions:,} transactions and {imported.labels:,} labels"
        rest = f"; {len(present):,} were there before" if present else ""
        self.say(f"{found} are in the log{rest}.")
        return imported.transactions

    def import_data(self, state: DemoState, data: DataFile) -> DemoState:
        """As `import_history`, for the first rows of a file, through `retrace ingest`."""
        imported = state.transactions if state.data == data.identity else None
        path = data.options.file
        if imported is not None and len(history.imported_ids(self.log, "")) >= imported:
            self.say(f"{imported:,} rows of {path} are already in the log.")
            return state
        state = self._keep(DemoState(data=data.identity))
        self.say(f"Importing the first {data.history:,} rows of {path}")
        arguments = ingest_arguments(data.options, data.history)
        done = json_output_of(arguments, self.settings)
        self.say(f"{done['accepted']:,} transactions and {done['labels']:,} labels are in the log.")
        return self._keep(replace(state, transactions=int(done["accepted"])))

    def wait_for_projections(self, positions: PositionReaders) -> None:
        """Returns once every projection has caught up. Raises UnavailableError."""
        first: dict[str, int] = {}
        found = partial(lags_behind, self.log, positions)

        with self.bars() as bars:

            def shown(late: Mapping[str, int]) -> None:
                for name, lag in late.items():
                    first.setdefault(name, lag)
                    bars.show(name, max(0, first[name] - lag), first[name])

            wait_for_projections(found, shown, self.settings.state_dir / "logs")

    def train(self, state: DemoState) -> DemoState:
        """Afterwards a model trained on this history decides, or one that the user promoted, or the
        one before where the gate refused the new one."""
        model = current_policy(self.log).model
        usable = model is not None and serves(artefacts_of(self.settings), model.model_hash)
        if usable and state.model_id is not None and model is not None:
            whose = "" if model.model_id == state.model_id else ", promoted by somebody else"
            self.say(f"Model {model.model_id} is live{whose}.")
            return replace(state, model_id=model.model_id)
        self.say("Training a model on the labels known now")
        trained = json_output_of(["train"], self.settings, fine=(0, NOT_IN_FORCE))
        if trained["refused"]:
            stays = model.model_id if model is not None else "No model"
            refused = f"Model {trained['model_id']} was refused: {trained['refused']}."
            self.say(f"{refused} {stays} stays live.")
            return self._keep(replace(state, model_id=model.model_id if model else None))
        self.say(
            f"Model {trained['model_id']} is live: {trained['frauds']:,} frauds and"
            f" {trained['genuine']:,} genuine transactions were known."
        )
        return self._keep(replace(state, model_id=str(trained["model_id"])))

    def _keep(self, state: DemoState) -> DemoState:
        demo_state.save(self.settings.state_dir, state)
        return state
