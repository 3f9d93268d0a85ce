"""`features` worker: routes transactions to entities, and folds them into the online states."""

from dataclasses import replace
from functools import partial

from eventlog.adapters.kafka_spread import Spread
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.adapters.eviction import refuse_eviction
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.generation_watch import generation_watch
from projections.online.workload import online_workload
from projections.ports import Workload
from runtime.processes.workload import Tools


def features(tools: Tools) -> Workload:
    config = repo_config(tools.settings)
    states = FeastStateStore(config)
    spread = Spread(tools.worker.kafka, ENTITIES)
    workload = online_workload(
        *(tools.log, spread.append, states, tools.admission(TRANSACTIONS)),
        *(tools.dead_letter(), tools.again, tools.take),
    )
    return replace(
        workload,
        beside=[*workload.beside, spread.kept, generation_watch(states)],
        first=partial(refuse_eviction, config),
    )
