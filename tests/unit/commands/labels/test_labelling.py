"""Labels: which are refused at once, and which are kept until their transaction is known."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from commands import SubmitTransaction, label_transaction, submit_transaction
from commands.labels.label import label_id, parse_label, to_payload, without_cards
from domain.errors import InvalidInputError, NotFoundError
from domain.events import Envelope, TransactionLabelled
from domain.features import CATALOGUE, Entity, EntityState, feature_event, finish
from domain.features.events import transaction_event
from domain.features.rows import rows_of
from domain.times import HOUR, SECOND
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import HORIZON_US, Admission
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog, InMemoryTail
from eventlog.port import Recorded
from eventlog.topics import TRANSACTIONS, Topic
from projections.replay.payments import labels_of as training_labels
from projections.replay.payments import uses_of
from tests.fakes.deciding import NOW, deciding_process
from tests.fakes.events import submitted, transaction

LONGEST = "ü" * 200


def test_the_longest_id_can_be_labelled_without_a_reference_and_kept() -> None:
    command = parse_label({"transaction_id": LONGEST, "kind": "representment"})
    assert parse_label(json.loads(to_payload(command))) == command


@pytest.mark.parametrize("field", ["transaction_id", "reporter", "reference"])
@pytest.mark.parametrize("value", ["\ud800", "a\0b", "", " ", None, ["x"], "x" * 300])
def test_a_text_that_no_store_can_hold_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_label({"transaction_id": "t", field: value})
    assert refused.value.field == field


@pytest.mark.parametrize("field", ["type", "Kind", "", "\ud800", "a" * 300])
def test_a_field_of_another_name_is_refused_and_not_passed_over(field: str) -> None:
    with pytest.raises(InvalidInputError, match="is none of transaction_id, kind") as refused:
        parse_label({"transaction_id": "t", field: "representment"})
    assert len(str(refused.value).encode()) < 200


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_beyond_the_calendar_is_refused(moment: str) -> None:
    with pytest.raises(InvalidInputError, match="timestamp"):
        parse_label({"transaction_id": "t", "timestamp": moment})


async def test_a_label_finds_its_transaction_however_the_spaces_are_written() -> None:
    log = InMemoryEventLog()
    payload = {"transaction_id": "a\u00a0b", "amount": 1, "timestamp": "2023-10-01T12:00:00Z"}
    with deciding_process(log) as context:
        submission = SubmitTransaction(payload=payload, raw=None, mode="submit")
        receipt = await submit_transaction(submission, context)
        command = parse_label({"transaction_id": "a\u00a0b"})
        labelled = await label_transaction(command, context)
        assert (labelled.label_id, labelled.duplicate) == (label_id(command), False)
    assert [event.subject for event in labels_of(log)] == [receipt.transaction_id]


class LateLog(InMemoryEventLog):
    """Its tails give nothing before the ends of the log were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    async def ends(self, topic: Topic) -> Sequence[int]:
        self.asked.set()
        return await super().ends(topic)

    def tail(
        self, topic: Topic, start: Mapping[int, int], *, gathered: bool = False
    ) -> InMemoryTail:
        return LateTail(self, topic, start)


class LateTail(InMemoryTail):
    def poll(self, timeout: float, most: int = 1000) -> list[Recorded]:
        assert isinstance(self._log, LateLog)
        return super().poll(timeout, most) if self._log.asked.wait(timeout) else []


async def test_a_transaction_that_another_process_recorded_is_labelled_at_once() -> None:
    log = LateLog()
    await log.append(TRANSACTIONS, "t", submitted("t"))
    with deciding_process(log) as context:
        assert context.ledger.known("t") is None
        assert not (await label_transaction(parse_label(LABEL), context)).duplicate


async def test_an_id_used_again_in_another_process_is_labelled_with_its_own_keys() -> None:
    log, later = LateLog(), NOW + HORIZON_US + SECOND
    before, now = (replace(transaction("t"), customer_id=name) for name in ("ann", "bob"))
    with deciding_process(log, clock=lambda: later) as context:
        for known_time, of in ((NOW, before), (later, now)):
            event = submitted("t", known_time=known_time)
            made = replace(event, data=replace(event.data, transaction=of))
            place = await log.append(TRANSACTIONS, "t", made)
            if of is before:
                log.asked.set()
                await context.ledger.passed(place.partition, place.offset)
                log.asked.clear()
        await label_transaction(parse_label(LABEL), context)
    assert [event.data.customer_id for event in labels_of(log)] == ["bob"]


PAYLOAD = {
    "transaction_id": "t", "amount": 1, "timestamp": "2023-10-01T12:00:00Z", "customer_id": "ann"
}  # fmt: skip
LABEL = {"transaction_id": "t"}
SUBMISSION = SubmitTransaction(payload=PAYLOAD, raw=None, mode="submit")


async def said(
    log: InMemoryEventLog, *reports: Mapping[str, object], clock: Callable[[], int] = lambda: NOW
) -> list[bool]:
    """Whether each report of the one transaction is a duplicate."""
    with deciding_process(log, clock=clock) as context:
        await submit_transaction(SUBMISSION, context)
        commands = [parse_label({**LABEL, **report}) for report in reports]
        return [(await label_transaction(command, context)).duplicate for command in commands]


@pytest.mark.parametrize("reference", [{}, {"reference": "case 7"}])
async def test_an_id_used_again_is_labelled_anew_under_the_same_reference(
    reference: dict[str, str],
) -> None:
    log, report = InMemoryEventLog(), {"kind": "chargeback", **reference}
    assert await said(log, report, report) == [False, True]
    assert await said(log, report, report, clock=lambda: NOW + HORIZON_US + 1) == [False, True]
    admission = Admission(DictMemory())
    read = [(decode(each.value), each.position) for each in log.read(TRANSACTIONS)]
    counting = [admission.admit(event, at.partition, at.offset) for event, at in read]
    assert counting == [True, True] * 2


async def test_reports_of_two_hosts_count_in_the_order_of_the_log_however_their_clocks_stand() -> (
    None
):
    """Report, reversal, report; the host that takes the reversal is 3 s behind."""
    log, told = InMemoryEventLog(), ("fraud_report", "reversal", "fraud_report")
    with (
        deciding_process(log) as ahead,
        deciding_process(log, clock=lambda: NOW - 3 * SECOND) as behind,
    ):
        await submit_transaction(SUBMISSION, behind)
        for kind, host in zip(told, (ahead, behind, ahead), strict=True):
            await host.ledger.barrier()
            receipt = await label_transaction(parse_label({**LABEL, "kind": kind}), host)
            assert not receipt.duplicate
            newest = labels_of(log)[-1]
            assert (newest.id, newest.data.kind) == (receipt.label_id, kind)
    read = [(each.position, decode(each.value)) for each in log.read(TRANSACTIONS)]
    facts = [(at.partition, at.offset, event) for at, e in read if (event := feature_event(e))]
    assert [event.known_time - NOW for _, _, event in facts] == [0, -3 * SECOND, 0]
    asked = transaction("x", timestamp=NOW + HOUR, customer_id="ann")
    about = rows_of([(0, 0, transaction_event(read[0][1].data.transaction, "t", NOW, None))])
    for number, fraud in ((1, 1), (2, 0), (3, 1)):
        state = EntityState(Entity.PAYER, "ann")
        for fact in facts[:number]:
            state.fold(*fact)
        vector = dict(zip(CATALOGUE.names, finish({Entity.PAYER: state}, asked), strict=True))
        assert (vector["payer_fraud_count_7d"], vector["payer_fraud_rate_30d"]) == (fraud, fraud)
        assert training_labels(rows_of(facts[:number]), uses_of(about)).tolist() == [fraud]


def labels_of(log: InMemoryEventLog) -> list[Envelope]:
    """All that were appended, in the log's order, an equal id once."""
    found = [decode(each.value) for each in log.read(TRANSACTIONS)]
    return list({e.id: e for e in found if isinstance(e.data, TransactionLabelled)}.values())


@pytest.mark.parametrize("references", [("a", "b", "c"), None])
async def test_o26_a_dispute_that_changes_sides_twice_is_three_labels(
    references: tuple[str, ...] | None,
) -> None:
    log = InMemoryEventLog()
    kinds = "chargeback", "representment", "chargeback"
    reports = [{"kind": kind} for kind in kinds]
    if references:
        reports = [r | {"reference": x} for r, x in zip(reports, references, strict=True)]
    assert await said(log, *reports) == [False, False, False]
    assert [event.data.value for event in labels_of(log)] == [1, 0, 1]


async def test_what_is_said_again_is_a_duplicate() -> None:
    log, report = InMemoryEventLog(), {"kind": "chargeback"}
    assert await said(log, report, report, report | {"reporter": "bank"}) == [False, True, False]
    own = {"reference": "r-1"}
    assert await said(InMemoryEventLog(), own, own | {"kind": "genuine"}) == [False, True]
    other = {"kind": "chargeback", "value": 0}
    assert await said(InMemoryEventLog(), report, other, other, report, report) == [
        False, False, True, False, True,
    ]  # fmt: skip


async def test_a_label_from_the_future_is_refused_before_it_is_kept() -> None:
    with deciding_process(InMemoryEventLog()) as context:
        future = parse_label({"transaction_id": "t", "timestamp": "2099-01-01T00:00:00Z"})
        with pytest.raises(InvalidInputError, match="future"):
            await label_transaction(future, context)
        with pytest.raises(NotFoundError):
            await label_transaction(parse_label({"transaction_id": "t"}), context)


def test_a_card_number_in_a_reference_becomes_its_token() -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        command = parse_label({"transaction_id": "t", "reference": "cb 4111 1111 1111 1111"})
        cleaned = without_cards(command, context.cleaner)
    log.close()
    assert cleaned.reference is not None
    assert "4111" not in cleaned.reference
    assert cleaned.reference.startswith("cb tok_")
