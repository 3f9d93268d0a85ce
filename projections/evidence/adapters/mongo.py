"""Evidence in MongoDB: its reader, and the batch projection that writes it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient, ReplaceOne, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from domain.errors import FencedError, UnavailableError
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from projections.evidence.documents import Evidence, document, from_document
from projections.ports import CheckedRecord, UnfoldableError, refuse_setback
from projections.settings import MongoSettings

SERVER = "mongodb"
Document = dict[str, Any]
Client = MongoClient[Document]
COLLECTION = "evidence"
POSITIONS = "positions"
_TAKEN = 11000  # MongoDB's DuplicateKey


def build_client(settings: MongoSettings) -> Client:
    """Connects on first use."""
    milliseconds = int(settings.timeout_s * 1000)
    return MongoClient(
        settings.mongodb_url,
        appname="retrace",
        serverSelectionTimeoutMS=milliseconds,
        connectTimeoutMS=milliseconds,
        socketTimeoutMS=30_000,
    )


class MongoEvidence:
    """Thread-safe; raises UnavailableError where the store does not answer."""

    def __init__(self, client: Client) -> None:
        self._documents = client.get_default_database("retrace")[COLLECTION]

    def raw(self, transaction_id: str) -> str | None:
        """The payload as received; None where there is none, or not yet."""
        found = self.evidence(transaction_id)
        return found.raw if found else None

    def evidence(self, transaction_id: str) -> Evidence | None:
        with translated_errors():
            found = self._documents.find_one({"_id": transaction_id})
        return from_document(found) if found else None


class MongoEvidenceProjection:
    """Implements projections.ports.BatchProjection for the topic of transactions."""

    def __init__(self, client: Client, name: str = "evidence") -> None:
        database = client.get_default_database("retrace")
        self._documents, self._positions = database[COLLECTION], database[POSITIONS]
        self._epochs: dict[int, int] = {}
        self._next: dict[int, int] = {}
        self.name = name
        self.topic = TRANSACTIONS.name

    def assign(self, partition: int) -> int:
        beginning = {"next_offset": 0, "projected": 0, "void": 0, "dead": 0}
        with translated_errors():
            found = self._positions.find_one_and_update(
                {"_id": self._key(partition)},
                {"$inc": {"epoch": 1}, "$setOnInsert": beginning},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        assert found is not None
        self._epochs[partition] = int(found["epoch"])
        self._next[partition] = int(found["next_offset"])
        return self._next[partition]

    def project(self, batches: Mapping[int, Sequence[CheckedRecord]]) -> None:
        ours: dict[str, int] = {}
        for partition, batch in batches.items():
            if partition not in self._epochs:
                raise FencedError(f"{self.name}: partition {partition} of {self.topic} is not ours")
            if batch:
                ours[self._key(partition)] = partition
        if not ours:
            return
        with translated_errors():
            starts = self._starts(ours)
            fresh = {
                partition: left
                for partition, start in starts.items()
                if (left := [each for each in batches[partition] if each.position.offset >= start])
            }
            if fresh:
                self._keep([record for each in fresh.values() for record in each])
                self._move(starts, fresh)

    def _starts(self, ours: Mapping[str, int]) -> dict[int, int]:
        found = {each["_id"]: each for each in self._positions.find({"_id": {"$in": list(ours)}})}
        for key, partition in ours.items():
            if key not in found or found[key]["epoch"] != self._epochs[partition]:
                raise self._fenced(partition)
        starts = {partition: int(found[key]["next_offset"]) for key, partition in ours.items()}
        refuse_setback(self, self._next, starts)
        return starts

    def _move(
        self, starts: Mapping[int, int], fresh: Mapping[int, Sequence[CheckedRecord]]
    ) -> None:
        moves = []
        for partition, records in fresh.items():
            counts = {name: _count(records, name) for name in ("counts", "void", "dead")}
            counts["projected"] = counts.pop("counts")
            ours = {"_id": self._key(partition), "epoch": self._epochs[partition]}
            following = {"next_offset": records[-1].position.offset + 1}
            moves.append(
                UpdateOne(
                    {**ours, "next_offset": starts[partition]}, {"$set": following, "$inc": counts}
                )
            )
        if self._positions.bulk_write(moves, ordered=False).matched_count < len(moves):
            raise FencedError(
                f"{self.name}: another worker has taken over one of the partitions "
                f"{sorted(fresh)} of {self.topic}"
            )
        self._next.update((p, records[-1].position.offset + 1) for p, records in fresh.items())

    def revoke(self, partition: int) -> None:
        self._epochs.pop(partition, None)
        self._next.pop(partition, None)

    def counts(self) -> Mapping[int, Document]:
        """Per partition: next_offset, projected, void, dead."""
        with translated_errors():
            found = self._positions.find({"_id": {"$regex": f"^{self.name}/{self.topic}/"}})
            return {int(each["_id"].rpartition("/")[2]): each for each in found}

    def forget(self) -> None:
        """Empties the evidence so that it is rebuilt from the log; fences the present writers."""
        with translated_errors():
            self._positions.update_many(
                {"_id": {"$regex": f"^{self.name}/{self.topic}/"}},
                {
                    "$inc": {"epoch": 1},
                    "$set": {"next_offset": 0, "projected": 0, "void": 0, "dead": 0},
                },
            )
            self._documents.drop()

    def _keep(self, fresh: Sequence[CheckedRecord]) -> None:
        # The last of an id wins: an unordered bulk write would leave the order to the server.
        documents: dict[str, Document] = {}
        unfoldable: dict[Position, str] = {}
        for record in fresh:
            if record.status != "counts" or record.envelope is None:
                continue
            try:
                made = document(record.envelope, record.position)
            except ValueError as error:
                unfoldable[record.position] = str(error)
                continue
            if made is not None:
                documents[made["_id"]] = made
        if unfoldable:
            raise UnfoldableError(unfoldable)
        if documents:
            # By id: partitions take turns in a batch, and neighbours share a page of the store.
            self._write([documents[each] for each in sorted(documents)])

    def _write(self, documents: Sequence[Document]) -> None:
        """Inserts them and replaces those that are there: nearly all are new."""
        try:
            self._documents.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            there = [documents[index] for index in _there_already(error)]
            replacements = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in there]
            self._documents.bulk_write(replacements, ordered=False)

    def _key(self, partition: int) -> str:
        return f"{self.name}/{self.topic}/{partition}"

    def _fenced(self, partition: int) -> FencedError:
        return FencedError(
            f"{self.name}: another worker has taken over partition {partition} of {self.topic}"
        )


def _count(fresh: Sequence[CheckedRecord], status: str) -> int:
    return sum(record.status == status for record in fresh)


def _there_already(error: BulkWriteError) -> list[int]:
    """Which documents were refused as their ids are taken; raises `error` if anything else was."""
    if _failures(error):
        raise error
    return [each["index"] for each in error.details["writeErrors"]]


def _failures(error: BulkWriteError) -> list[Document]:
    """What was refused for another reason than that its id is taken."""
    details = error.details
    refused = [each for each in details["writeErrors"] if each["code"] != _TAKEN]
    return [*refused, *details["writeConcernErrors"]]


@contextmanager
def translated_errors() -> Iterator[None]:
    try:
        yield
    except BulkWriteError as error:
        reasons = [each.get("errmsg") for each in _failures(error)] or [str(error)]
        raise UnavailableError(SERVER, f"documents were refused: {reasons[0]}") from error
    except PyMongoError as error:
        text = str(error).split(", Timeout:")[0]
        raise UnavailableError(SERVER, text or type(error).__name__) from error
