"""`features` worker: routes transactions to entities, and folds them into the online states."""

from functools import partial

from eventlog.port import Position
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.adapters.eviction import refuse_eviction
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.generation_watch import generation_watch
from projections.online.rebuild_flags import RebuildFlags
from projections.online.router import Router
from projections.online.writer import EntityWriter
from projections.ports import Workload
from runtime.processes.workload import Tools


def features(tools: Tools) -> Workload:
    config = repo_config(tools.settings)
    states = FeastStateStore(config)

    async def send(shard: int, value: bytes) -> Position:
        return await tools.log.append_bytes(ENTITIES, None, value, shard)

    flags = RebuildFlags(states, partial(tools.log.ends, TRANSACTIONS))
    ends = partial(tools.log.ends, ENTITIES)
    writer = EntityWriter(states, tools.dead_letter(), flags, ends, tools.again)
    router = Router(states, tools.admission(TRANSACTIONS), send, tools.again)
    # The writer is assigned first: it adopts the live generation.
    return Workload(
        {ENTITIES: writer, TRANSACTIONS: router},
        beside=[router.watch, writer.watch, generation_watch(states)],
        first=partial(refuse_eviction, config),
    )
