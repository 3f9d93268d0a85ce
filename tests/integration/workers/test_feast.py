"""Feast clients of the online states: generations, materialisation, values finished on demand."""

import math
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import redis
from feast import FeatureStore
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from hypothesis import given
from hypothesis import strategies as st

from domain.features import (
    CATALOGUE,
    Entity,
    EntityState,
    FeatureSet,
    entity_keys,
    feature_event,
    finish,
)
from domain.features.entities import FIELDS, pair_key, payer_of
from domain.times import to_datetime
from projections.online.adapters.feast_repo import REPO, apply, feature_store, repo_config
from projections.online.adapters.feast_states import FeastStateStore, address
from projections.online.adapters.redis_generations import RedisGenerations
from runtime.settings import Settings
from tests.builders.workers.history import save, state_of, transaction
from tests.fakes.events import imported


def test_a_generation_is_built_and_swapped_in(states: FeastStateStore, settings: Settings) -> None:
    config = repo_config(settings)
    generations = RedisGenerations(config)
    save(states, state_of(range(3)))
    fewer = FeatureSet(CATALOGUE.features[:40])
    second = generations.begin(fewer, "fewer")
    shadow, reader = states.at(second), FeastStateStore(config, seconds=0)
    assert shadow.features.hash == fewer.hash
    assert shadow.read([(Entity.CARD, "c1")]).states[0].version == {}
    assert reader.read([(Entity.CARD, "c1")]).states[0].version == {0: 2}
    generations.swap(1, second.number)
    assert reader.features.hash == fewer.hash
    assert reader.read([(Entity.CARD, "c1")]).states[0].version == {}
    assert states.moved() == second.number
    # The old writer still writes to its generation, which nobody reads.
    save(states, state_of(range(5)))
    assert reader.read([(Entity.CARD, "c1")]).states[0].version == {}
    generations.swap(second.number, 1)
    assert reader.read([(Entity.CARD, "c1")]).states[0].version == {0: 4}


def test_unknown_features_get_a_new_keyspace(states: FeastStateStore, settings: Settings) -> None:
    config = repo_config(settings)
    states.adopt()
    redis.Redis.from_url(settings.redis_url).hset(
        "retrace:generation:retrace.g1", "features", '{"semantics":1,"features":[]}'
    )
    assert FeastStateStore(config).adopt().number == 2


@given(st.sampled_from(Entity), st.text(max_size=20), st.text(max_size=20))
def test_a_key_lies_where_feast_looks_for_it(entity: Entity, first: str, second: str) -> None:
    names = FIELDS[entity]
    key = first if len(names) == 1 else pair_key(first, second)
    parts = [Value(string_val=part) for part in (first, second)[: len(names)]]
    feasts = serialize_entity_key(EntityKey(join_keys=list(names), entity_values=parts), 3)
    assert address(entity, key) == feasts


def test_applying_twice_does_nothing_the_second_time(applied: Settings) -> None:
    assert apply(applied) is False


def test_any_feast_client_gets_finished_values(applied: Settings, states: FeastStateStore) -> None:
    history = [transaction(number) for number in range(300)]
    folded: dict[tuple[Entity, str], EntityState] = {}
    for offset, made in enumerate(history):
        event = feature_event(imported(made.transaction_id))
        assert event is not None
        event = event._replace(
            time=made.timestamp, base_amount=made.base_amount, order=offset, card_id=made.card_id,
            customer_id=made.customer_id, merchant_id=made.merchant_id,
            device_id=made.device_id, ip=made.ip,
        )  # fmt: skip
        for entity, key in entity_keys(event).items():
            folded.setdefault((entity, key), EntityState(entity, key)).fold(0, offset, event)
    save(states, *folded.values())
    store = feature_store(applied)
    asked = [transaction(number) for number in (301, 302, 303)]
    rows = [
        {
            "card_id": each.card_id, "payer_id": payer_of(each),
            "merchant_id": each.merchant_id, "device_id": each.device_id or "", "ip": each.ip,
            "timestamp": each.timestamp, "base_amount": each.base_amount,
            "country": each.country, "channel": each.channel, "lat": each.lat, "lon": each.lon,
        }
        for each in asked
    ]  # fmt: skip
    answer = store.get_online_features(store.get_feature_service("scoring"), rows).to_dict()
    for row, each in enumerate(asked):
        mine = {
            entity: folded.get((entity, key), EntityState(entity, key))
            for entity, key in entity_keys(each).items()
        }
        for name, value in zip(CATALOGUE.names, finish(mine, each), strict=True):
            served = answer[name][row]
            assert served == value or (value is None and math.isnan(served)), name
    rows[0]["payer_id"] = ""
    answer = store.get_online_features(store.get_feature_service("scoring"), rows[:1]).to_dict()
    assert answer["payer_count_1d"] == [None], "the card is no payer unless it is said to be"
    assert answer["card_count_1d"][0] > 0


def test_the_feast_command_line_applies_and_materialises_over_newer_states(
    settings: Settings, states: FeastStateStore
) -> None:
    newer = state_of(range(5))
    save(states, newer)
    environment = {**os.environ, **settings.environment(), "PYTHONPATH": str(REPO.parent)}
    settings.feast_registry.parent.mkdir(parents=True)
    feast = str(Path(sys.executable).with_name("feast"))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    materialize = ["materialize", "2020-01-01T00:00:00", now]
    # The second incremental one goes on where the first has ended.
    for command in (["apply"], materialize, *[["materialize-incremental", now]] * 2):
        done = subprocess.run(
            [feast, *command], cwd=REPO, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert states.read([(Entity.CARD, "c1")]).states[0].to_bytes() == newer.to_bytes()


def test_feast_writes_by_the_same_comparison(applied: Settings, states: FeastStateStore) -> None:
    newer, older = state_of(range(5)), state_of(range(3))
    save(states, newer)
    import pandas as pd

    store: FeatureStore = feature_store(applied)
    for state in (older, state_of(range(8))):
        frame = pd.DataFrame(
            {"card_id": ["c1"], "card_state": [state.to_bytes()],
             "event_timestamp": [to_datetime(state.latest)]}
        )  # fmt: skip
        store.write_to_online_store("card_state", frame)
        newer = max(newer, state, key=lambda each: each.version[0])
        assert states.read([(Entity.CARD, "c1")]).states[0].to_bytes() == newer.to_bytes()
