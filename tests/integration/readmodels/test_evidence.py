"""Evidence in MongoDB: stored and found as it came, by one owner per partition."""

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.errors import BulkWriteError

from domain.errors import FencedError, UnavailableError
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from projections.evidence.adapters.mongo import (
    Client,
    MongoEvidence,
    MongoEvidenceProjection,
    build_client,
)
from projections.ports import CheckedRecord
from projections.settings import MongoSettings
from tests.builders.read_model_facts import (
    CheckedLog,
    imported,
    project_all,
    small_history,
    submitted,
    transaction,
)


def documents(client: Client) -> list[dict[str, Any]]:
    return list(client.get_default_database()["evidence"].find().sort("_id"))


def test_payload_and_attributes_come_back_and_are_found_by_their_names(mongo: Client) -> None:
    log = CheckedLog()
    odd = {"basket": {"items": 3, "list": [1, None, 2.5, {"deep": True}]}, "text": "naïve ☃"}
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
    found = mongo.get_default_database()["evidence"].find({"attributes.basket.items": 3})
    assert [each["_id"] for each in found] == ["live"]
    assert reader.raw("nobody") is None


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
    projection.project({0: [CheckedRecord(Position(TRANSACTIONS.name, 0, start), fact, "counts")]})
    found = MongoEvidence(mongo).evidence("x")
    assert found is not None
    assert found.attributes == attributes


def test_a_crash_between_documents_and_position_repeats_the_documents(mongo: Client) -> None:
    log, projection = small_history(), MongoEvidenceProjection(mongo)
    projection.assign(0)
    projection._keep(log.records[0])
    kept = documents(mongo)
    assert kept
    again = MongoEvidenceProjection(mongo)
    assert again.assign(0) == 0
    again.project({0: log.records[0]})
    assert documents(mongo) == kept
    assert again.assign(0) == len(log.records[0])


def test_a_zombie_overtaken_between_documents_and_position_moves_no_position(mongo: Client) -> None:
    log, successor = small_history(), MongoEvidenceProjection(mongo)

    class Slow(MongoEvidenceProjection):
        def _keep(self, fresh: Any) -> None:
            super()._keep(fresh)
            successor.assign(0)

    slow = Slow(mongo)
    slow.assign(0)
    with pytest.raises(FencedError):
        slow.project({0: log.records[0]})
    assert successor.counts()[0]["next_offset"] == 0
    successor.project({0: log.records[0]})
    assert successor.counts()[0]["next_offset"] == len(log.records[0])


def test_documents_that_are_there_are_replaced_and_others_inserted(mongo: Client) -> None:
    log, projection = small_history(), MongoEvidenceProjection(mongo)
    project_all(MongoEvidenceProjection(mongo), log)
    expected = documents(mongo)
    projection.forget()
    collection = mongo.get_default_database()["evidence"]
    collection.insert_many([{"_id": expected[0]["_id"], "stale": True}, expected[-1]])
    projection.assign(0)
    projection._keep([record for each in log.records.values() for record in each])
    assert documents(mongo) == expected


_TAKEN = {"index": 0, "code": 11000, "errmsg": "the id is taken"}
_CONCERN = {"code": 64, "errmsg": "no"}


@pytest.mark.parametrize(
    ("errors", "concerns"),
    [
        ([_TAKEN, {"index": 1, "code": 17280, "errmsg": "no"}], []),
        ([_TAKEN], [_CONCERN]),
        ([], [_CONCERN]),
    ],
)
def test_only_taken_ids_are_no_failure(
    mongo: Client, monkeypatch: pytest.MonkeyPatch, errors: list[Any], concerns: list[Any]
) -> None:
    log, projection = small_history(), MongoEvidenceProjection(mongo)
    projection.assign(0)

    def refused(*_: object, **__: object) -> None:
        raise BulkWriteError({"writeErrors": errors, "writeConcernErrors": concerns})

    with monkeypatch.context() as patched:
        patched.setattr(type(mongo.get_default_database()["evidence"]), "insert_many", refused)
        with pytest.raises(UnavailableError, match="documents were refused: no"):
            projection.project({0: log.records[0]})
    assert projection.counts()[0]["next_offset"] == 0
    projection.project({0: log.records[0]})
    assert projection.counts()[0]["next_offset"] == len(log.records[0])


def test_a_server_that_lost_its_end_is_assigned_again(mongo: Client) -> None:
    log, projection = small_history(), MongoEvidenceProjection(mongo)
    projection.assign(0)
    records = log.records[0]
    projection.project({0: records[:2]})
    kept = list(mongo.get_default_database()["positions"].find())
    projection.project({0: records[2:3]})
    for each in kept:
        mongo.get_default_database()["positions"].replace_one({"_id": each["_id"]}, each)
    with pytest.raises(FencedError, match="from 3 to 2"):
        projection.project({0: records[3:]})
    assert projection.assign(0) == 2
    projection.project({0: records[2:]})
    assert projection.counts()[0]["next_offset"] == len(records)


def test_a_missing_mongodb_is_reported_within_seconds() -> None:
    client = build_client(MongoSettings("mongodb://127.0.0.1:1/retrace", timeout_s=1))
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match=r"mongodb: .*127\.0\.0\.1:1"):
        MongoEvidence(client).raw("x")
    with pytest.raises(UnavailableError):
        MongoEvidenceProjection(client).assign(0)
    assert time.monotonic() - begun < 5
    client.close()
