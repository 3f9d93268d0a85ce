"""The naive reading of the log says of each record what the contract says, and the readers too."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import AlertDelivered, Envelope, caused_event_id
from domain.times import DAY, SECOND
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import HORIZON_US, Admission
from eventlog.codec import encode
from eventlog.partitioning import partition_for
from eventlog.topics import ALERTS, TRANSACTIONS
from faults.audit.evidence import Evidence
from faults.audit.reading import Reading, read
from tests.builders.evidence import System, payment, submission_of
from tests.fakes.events import NOW, imported, labelled, scored, submitted

LATER = NOW + 401 * DAY


def reading_of(envelopes: Sequence[Envelope]) -> Reading:
    system = System()
    for envelope in envelopes:
        partition = partition_for(envelope.subject, TRANSACTIONS.partitions)
        system.put(TRANSACTIONS, partition, encode(envelope), envelope.subject)
    return read(Evidence(now=NOW, transactions=system.topics[TRANSACTIONS.name]))


def statuses(*envelopes: Envelope) -> str:
    """A letter for each record of t-1, the only id: counts, void, dead."""
    records = reading_of(envelopes).transactions[partition_for("t-1", TRANSACTIONS.partitions)]
    return "".join(record.status[0] for record in records)


def test_the_first_submission_and_its_first_decision_count() -> None:
    assert statuses(submitted(), submitted(), scored(), scored()) == "cvcv"


def test_a_decision_made_for_other_content_is_void_and_the_next_one_counts() -> None:
    assert statuses(submitted(), scored(digest="other"), scored()) == "cvc"


def test_a_decision_before_its_submission_is_void() -> None:
    assert statuses(scored(), submitted(), scored()) == "vcc"


def test_imported_history_has_no_decision_and_keeps_its_id() -> None:
    assert statuses(imported(), submitted(), scored()) == "cvv"


def test_a_label_counts_once_and_after_its_transaction() -> None:
    assert statuses(submitted(), labelled(), labelled(), labelled(reference="2")) == "ccvc"
    assert statuses(labelled(), submitted(), labelled()) == "vcc"


def test_an_id_is_used_again_once_the_horizon_has_passed_with_decision_and_labels() -> None:
    again = [each(known_time=LATER) for each in (submitted, scored, labelled)]
    assert statuses(submitted(), scored(), labelled(), *again) == "cccccc"
    assert statuses(submitted(), submitted(known_time=NOW + 400 * DAY)) == "cv"


def test_a_late_decision_of_an_earlier_use_is_void() -> None:
    again = submitted(digest="other", known_time=LATER)
    assert statuses(submitted(), again, scored()) == "ccv"


def test_an_alert_counts_once_and_so_does_its_delivery() -> None:
    system = System()
    x = payment(1, system.now)
    system.append(submission_of(x, system.now))
    decision = system.decide(x, "review")
    system.append(decision)
    system.alert(decision)
    system.alert(decision)
    data = AlertDelivered(alert_id="unknown", transaction_id="t-1", receiver="tests", attempts=1)
    early = submitted("t-1", id=caused_event_id("unknown", AlertDelivered))
    system.append(
        Envelope(**{n: getattr(early, n) for n in Envelope.__slots__} | {"data": data}), ALERTS
    )
    alerts = read(system.evidence()).alerts[partition_for("t-1", ALERTS.partitions)]
    assert [record.status for record in alerts] == ["counts", "counts", "void", "void", "void"]


FACTS = st.lists(
    st.tuples(
        st.sampled_from([submitted, imported, scored]),
        st.sampled_from(["t-1", "t-2"]),
        st.sampled_from(["one content", "another"]),
        st.integers(0, 3).map(lambda uses: NOW + uses * HORIZON_US // 2 + uses * SECOND),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(FACTS)
def test_the_readers_admission_says_the_same(facts: list[tuple[object, str, str, int]]) -> None:
    envelopes = [make(name, digest, known_time=at) for make, name, digest, at in facts]  # type: ignore[operator]
    admission = Admission(DictMemory())
    for records in reading_of(envelopes).transactions:
        for record in records:
            assert record.envelope is not None
            place = record.position
            admitted = admission.admit(record.envelope, place.partition, place.offset)
            assert record.status == ("counts" if admitted else "void")
