"""`evidence` worker: projects payloads as received into MongoDB."""

from eventlog.topics import TRANSACTIONS
from projections.evidence.adapters.mongo import MongoEvidenceProjection, build_client
from projections.faust.projection_handler import ProjectionHandler
from projections.ports import Workload
from projections.settings import MongoSettings
from runtime.processes.workload import Tools


def evidence(tools: Tools) -> Workload:
    client = build_client(MongoSettings(tools.settings.mongodb_url))
    tools.closing.callback(client.close)
    projection = MongoEvidenceProjection(client)
    admission = tools.admission(TRANSACTIONS)
    return Workload({TRANSACTIONS: ProjectionHandler(projection, admission, tools.dead_letter())})
