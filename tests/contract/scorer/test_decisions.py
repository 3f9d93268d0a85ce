"""With a model server, the model decides while it answers, and rules decide in time otherwise."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from time import monotonic

import pytest

from commands import Context, ScoreTransaction, score_transaction
from domain.events import TransactionScored
from domain.features import CATALOGUE
from domain.features.engine import warm_up
from eventlog.in_memory import InMemoryEventLog
from inference.artefacts.store import Artefact
from inference.serving.adapters.litert import LiteRtScorer
from inference.serving.adapters.tf_serving.scorer import TfServingScorer
from inference.serving.adapters.tf_serving.transports import open_server
from inference.serving.model_server import served_version
from inference.serving.probe import TOLERANCE
from inference.training.saved_model import write_saved_model
from tests.e2e.stack import free_port
from tests.fakes.deciding import deciding_process
from tests.fixtures.tf_serving import Servables, serving_grpc, serving_rest

DEADLINE = 1.0
SERVERS = {"tf-serving-grpc": serving_grpc, "tf-serving-rest": serving_rest}


@dataclass
class Deciding:
    """`running` ends the server when it is closed."""

    kind: str
    servables: Servables
    running: ExitStack
    scorer: TfServingScorer


@pytest.fixture(scope="session")
def servables(of_catalogue: Artefact, tmp_path_factory: pytest.TempPathFactory) -> Servables:
    warm_up(CATALOGUE)
    folder = tmp_path_factory.mktemp("served")
    write_saved_model(
        of_catalogue, folder / "retrace" / str(served_version(of_catalogue.model_hash))
    )
    return Servables(folder)


@pytest.fixture(params=list(SERVERS))
def deciding(
    request: pytest.FixtureRequest, servables: Servables, of_catalogue: Artefact
) -> Iterator[Deciding]:
    servables.delay = 0.0
    with ExitStack() as running:
        url = running.enter_context(SERVERS[request.param](servables, free_port()))
        with closing(open_server(request.param, url, "retrace")) as server:
            scorer = TfServingScorer(of_catalogue, server, timeout=0.5)
            yield Deciding(request.param, servables, running, scorer)


async def decided(context: Context, name: str) -> TransactionScored:
    payload = {
        "transaction_id": name,
        "amount": 42.5,
        "timestamp": "2023-10-01T12:34:56Z",
        "card_id": "card-1",
    }
    scored = await score_transaction(ScoreTransaction(payload=payload, raw=None), context)
    found: TransactionScored = scored.data
    return found


async def test_the_model_decides_and_the_record_says_which_server_it_was(
    deciding: Deciding, of_catalogue: Artefact
) -> None:
    log = InMemoryEventLog()
    with closing(log), deciding_process(log, scorer=deciding.scorer) as context:
        record = await decided(context, "t-1")
    assert (record.path, record.model_hash) == ("full", of_catalogue.model_hash)
    version = served_version(of_catalogue.model_hash)
    assert record.fingerprint == f"{deciding.kind}/retrace/{version}"
    again = LiteRtScorer(of_catalogue)
    expected = again.value(again.inputs.of(CATALOGUE, record.features))
    assert abs(record.score - expected) <= TOLERANCE


async def test_a_server_that_has_gone_costs_no_decision(deciding: Deciding) -> None:
    deciding.running.close()
    log = InMemoryEventLog()
    with closing(log), deciding_process(log, scorer=deciding.scorer) as context:
        records = await asyncio.gather(*(decided(context, f"t-{n}") for n in range(20)))
    for record in records:
        assert (record.path, record.model_id) == ("fallback", "rules-only")
        assert "model_unavailable" in record.flags
        assert "path.fallback" in record.reasons


async def test_a_burst_at_a_server_that_hangs_is_decided_within_the_deadline(
    deciding: Deciding,
) -> None:
    deciding.servables.delay = 3.0
    log = InMemoryEventLog()
    process = deciding_process(log, scorer=deciding.scorer, deadline=DEADLINE)
    with closing(log), process as context:
        began = monotonic()
        made = await asyncio.gather(*(decided(context, f"t-{n}") for n in range(60)))
        records, took = made, monotonic() - began
    assert {record.model_id for record in records} == {"rules-only"}
    assert {record.path for record in records} <= {"fallback", "deadline"}
    # All of them together: nobody waits behind the others' timeouts.
    assert took < 2 * DEADLINE
