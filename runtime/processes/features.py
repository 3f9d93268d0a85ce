"""`features` worker: routes transactions to entities, and folds them into the online states."""

from functools import partial

from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.faust.worker import Workload
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.generation_watch import generation_watch
from projections.online.rebuild_flags import RebuildFlags
from projections.online.router import Router
from projections.online.writer import EntityWriter
from runtime.processes.workload import Tools


def features(tools: Tools) -> Workload:
    states = FeastStateStore(repo_config(tools.settings))

    async def send(shard: int, value: bytes) -> object:
        return await tools.log.append_bytes(ENTITIES, None, value, shard)

    router = Router(states, tools.admission(TRANSACTIONS), send)
    flags = RebuildFlags(states, partial(tools.log.ends, TRANSACTIONS))
    writer = EntityWriter(states, tools.dead_letter(), flags)
    return Workload(
        {TRANSACTIONS: router, ENTITIES: writer},
        beside=[router.watch, writer.watch, generation_watch(states)],
    )
