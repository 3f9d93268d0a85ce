"""Evidence in MongoDB: stored and found as it came, by one owner per partition."""

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import FencedError, UnavailableError
from domain.times import DAY
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from projections.evidence.adapters.mongo import (
    Client,
    MongoEvidence,
    MongoEvidenceProjection,
    build_client,
)
from projections.evidence.documents import MOST_BYTES
from projections.ports import CheckedRecord, UnfoldableError
from projections.settings import MongoSettings
from tests.builders.read_model_facts import (
    NOON,
    CheckedLog,
    imported,
    project_all,
    small_history,
    submitted,
    transaction,
)


def documents(client: Client) -> list[dict[str, Any]]:
    return list(client.get_default_database()["evidence"].find().sort("_id"))


def test_payload_and_attributes_come_back_as_they_were(mongo: Client) -> None:
    log = CheckedLog()
    odd = {"nested": {"list": [1, None, 2.5, {"deep": True}]}, "text": "naïve ☃"}
    log.append(submitted(transaction("live", attributes=odd)))
    log.append(imported(transaction("past", attributes={"till": 7})), imported(transaction("bare")))
    project_all(MongoEvidenceProjection(mongo), log)
    reader = MongoEvidence(mongo)
    live, past = reader.evidence("live"), reader.evidence("past")
    assert live is not None
    assert past is not None
    assert (live.raw, live.attributes) == ('{"a": 1}', odd)
    assert (past.raw, past.attributes) == (None, {"till": 7})
    assert live.position.topic == TRANSACTIONS.name
    assert reader.raw("live") == '{"a": 1}'
    assert reader.evidence("bare") is None
    assert reader.raw("nobody") is None


def test_attributes_can_be_searched_by_their_names(mongo: Client) -> None:
    log = CheckedLog()
    log.append(submitted(transaction("x", attributes={"basket": {"items": 3}})))
    project_all(MongoEvidenceProjection(mongo), log)
    found = mongo.get_default_database()["evidence"].find_one({"attributes.basket.items": 3})
    assert found is not None
    assert found["_id"] == "x"


@pytest.mark.parametrize(
    "attributes",
    [{"a.b": 1}, {"$set": 1}, {"in": [{"a\0": 1}]}, {"": 1}, {"n": 2**63}, {"n": -(2**63) - 1}],
    ids=str,
)
def test_attributes_unfit_for_mongodb_are_text(mongo: Client, attributes: dict[str, Any]) -> None:
    log = CheckedLog()
    log.append(submitted(transaction("x", attributes=attributes)))
    project_all(MongoEvidenceProjection(mongo), log)
    [kept] = documents(mongo)
    assert "attributes" not in kept
    found = MongoEvidence(mongo).evidence("x")
    assert found is not None
    assert found.attributes == attributes


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda below: st.lists(below, max_size=3)
    | st.dictionaries(st.text(alphabet="ab.$\0", max_size=3), below, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(attributes=st.dictionaries(st.text(alphabet="ab.$\0", max_size=3), _json, max_size=4))
def test_any_attributes_come_back_as_they_were(mongo: Client, attributes: dict[str, Any]) -> None:
    projection = MongoEvidenceProjection(mongo)
    start = projection.assign(0)
    fact = submitted(transaction("x", attributes=attributes))
    projection.project(0, [CheckedRecord(Position(TRANSACTIONS.name, 0, start), fact, "counts")])
    found = MongoEvidence(mongo).evidence("x")
    assert found is not None
    assert found.attributes == attributes


def test_delivering_evidence_twice_changes_nothing(mongo: Client) -> None:
    log, projection = small_history(), MongoEvidenceProjection(mongo)
    project_all(projection, log)
    before = documents(mongo), projection.counts()
    for partition, records in log.records.items():
        projection.project(partition, records)
    assert (documents(mongo), projection.counts()) == before


def test_the_counts_of_the_evidence_add_up(mongo: Client) -> None:
    log, projection = small_history(), MongoEvidenceProjection(mongo)
    project_all(projection, log, size=3)
    sums = projection.counts()
    for partition, end in enumerate(log.ends()):
        assert sums[partition]["next_offset"] == end
        assert sum(sums[partition][name] for name in ("projected", "void", "dead")) == end


def test_a_crash_between_documents_and_position_repeats_the_documents(mongo: Client) -> None:
    log, projection = small_history(), MongoEvidenceProjection(mongo)
    projection.assign(0)
    projection._keep(log.records[0])
    kept = documents(mongo)
    assert kept
    again = MongoEvidenceProjection(mongo)
    assert again.assign(0) == 0
    again.project(0, log.records[0])
    assert documents(mongo) == kept
    assert again.assign(0) == len(log.records[0])


def test_a_zombie_of_the_evidence_is_refused_and_writes_nothing(mongo: Client) -> None:
    log = small_history()
    zombie, successor = MongoEvidenceProjection(mongo), MongoEvidenceProjection(mongo)
    zombie.assign(0)
    successor.assign(0)
    with pytest.raises(FencedError):
        zombie.project(0, log.records[0])
    assert documents(mongo) == []
    successor.project(0, log.records[0])
    successor.revoke(0)
    with pytest.raises(FencedError):
        successor.project(0, log.records[0])


def test_a_zombie_overtaken_between_documents_and_position_moves_no_position(mongo: Client) -> None:
    log, successor = small_history(), MongoEvidenceProjection(mongo)

    class Slow(MongoEvidenceProjection):
        def _keep(self, fresh: Any) -> None:
            super()._keep(fresh)
            successor.assign(0)

    slow = Slow(mongo)
    slow.assign(0)
    with pytest.raises(FencedError):
        slow.project(0, log.records[0])
    assert successor.counts()[0]["next_offset"] == 0
    successor.project(0, log.records[0])
    assert successor.counts()[0]["next_offset"] == len(log.records[0])


@pytest.mark.parametrize("size", [1, 100])
def test_rebuilt_evidence_is_identical_whatever_the_batches(mongo: Client, size: int) -> None:
    log, projection = small_history(), MongoEvidenceProjection(mongo)
    again = transaction("a", NOON + 450 * DAY, attributes={"second": 2})
    log.append(submitted(again, digest="d3"))
    project_all(projection, log, size=2)
    before = documents(mongo)
    projection.forget()
    assert documents(mongo) == []
    with pytest.raises(FencedError):
        projection.project(0, log.records[0])
    project_all(MongoEvidenceProjection(mongo), log, size)
    assert documents(mongo) == before
    assert before[0]["attributes"] == {"second": 2}


def test_evidence_that_is_too_large_is_named_and_stops_nothing(mongo: Client) -> None:
    projection = MongoEvidenceProjection(mongo)
    projection.assign(0)
    fact = submitted(transaction("x"))
    huge = replace(fact, data=replace(fact.data, raw="x" * (MOST_BYTES + 1)))
    place = Position(TRANSACTIONS.name, 0, 0)
    with pytest.raises(UnfoldableError, match="more than") as caught:
        projection.project(0, [CheckedRecord(place, huge, "counts")])
    assert list(caught.value.reasons) == [0]
    projection.project(0, [CheckedRecord(place, None, "dead")])
    assert projection.counts()[0]["dead"] == 1


def test_a_missing_mongodb_is_reported_within_seconds() -> None:
    client = build_client(MongoSettings("mongodb://127.0.0.1:1/retrace", timeout_s=1))
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match=r"mongodb: .*127\.0\.0\.1:1"):
        MongoEvidence(client).raw("x")
    with pytest.raises(UnavailableError):
        MongoEvidenceProjection(client).assign(0)
    assert time.monotonic() - begun < 5
    client.close()
