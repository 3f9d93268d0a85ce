"""A read asks and records only what the features of the live states ask for."""

from domain.features import CATALOGUE, Entity
from projections.online.reader import OnlineFeatureReader
from tests.builders.workers.history import transaction
from tests.fakes.states import InMemoryServing, InMemoryStates, NoTail


async def test_a_decision_records_the_entities_of_its_features_alone() -> None:
    reader = OnlineFeatureReader(InMemoryServing(InMemoryStates()), lambda *answer: answer)
    asked = transaction(1)
    assert asked.customer_id is not None
    assert asked.device_id is not None
    features, values, versions, flags = await reader.read(asked, NoTail())
    assert features is CATALOGUE
    assert list(versions) == [entity.value for entity in CATALOGUE.entities]
    assert Entity.CUSTOMER.value not in versions
    assert values[CATALOGUE.names.index("payer_count_1d")] == 0.0
    assert flags == []
