"""`features` worker: routes transactions to entities, and folds them into the online states."""

from dataclasses import replace
from functools import partial

from eventlog.topics import TRANSACTIONS
from host.collector import look_rarely
from projections.online.adapters.eviction import refuse_eviction
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.generation_watch import generation_watch
from projections.online.workload import online_workload
from projections.ports import Workload
from runtime.processes.workload import Tools


def features(tools: Tools) -> Workload:
    look_rarely()
    config = repo_config(tools.settings)
    states = FeastStateStore(config)
    workload = online_workload(
        *(tools.log, states, tools.admission(TRANSACTIONS), tools.dead_letter(), tools.again)
    )
    return replace(
        workload,
        beside=[*workload.beside, generation_watch(states)],
        first=partial(refuse_eviction, config),
    )
