"""The fixture of the shadow tests: a world without shadow scores."""

import pytest
from sqlalchemy import Engine, text

from projections.readmodels.storage.connecting import transaction
from tests.integration.readmodels.shadows.world import World


@pytest.fixture
def world(engine: Engine) -> World:
    with transaction(engine) as connection:
        connection.execute(text("TRUNCATE shadow_scores"))
    return World(engine)
