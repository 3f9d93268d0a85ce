"""Key of an entity in Redis, as Feast serialises it, without the suffix of its keyspace."""

from functools import lru_cache

from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value

from domain.features import Entity
from domain.features.entities import FIELDS, key_parts, pair_key

# As in feature_store.yaml.
KEY_VERSION = 3

_ENTITIES = {fields: entity for entity, fields in FIELDS.items()}


def address(entity: Entity, key: str) -> bytes:
    """What Feast's serialize_entity_key makes of the entity, without the keyspace."""
    head, kind = _layout(entity)
    for part in key_parts(entity, key):
        value = part.encode()
        head += kind + len(value).to_bytes(4, "little") + value
    return head


@lru_cache(maxsize=64)
def _layout(entity: Entity) -> tuple[bytes, bytes]:
    """What Feast writes before the values of a key, and before the length of each of them."""
    names = FIELDS[entity]
    assert list(names) == sorted(names), "Feast sorts the join keys of a view"
    blank = EntityKey(join_keys=list(names), entity_values=[Value(string_val="")] * len(names))
    whole: bytes = serialize_entity_key(blank, KEY_VERSION)
    each = len(whole) - 8 * len(names)
    return whole[:each], whole[-8:-4]


def entity_of(proto: EntityKey) -> tuple[Entity, str]:
    """Raises KeyError for join keys that are no entity's."""
    given = {
        name: value.string_val
        for name, value in zip(proto.join_keys, proto.entity_values, strict=True)
    }
    entity = _ENTITIES[tuple(sorted(given))]
    parts = [given[name] for name in FIELDS[entity]]
    return entity, parts[0] if len(parts) == 1 else pair_key(*parts)


def read_address(data: bytes) -> tuple[Entity, str]:
    """The reverse of `address`. Raises KeyError or ValueError for any other key."""
    for entity in Entity:
        head, kind = _layout(entity)
        if data.startswith(head):
            parts, at = [], len(head)
            while at < len(data):
                start = at + len(kind) + 4
                at = start + int.from_bytes(data[start - 4 : start], "little")
                parts.append(data[start:at].decode())
            return entity, parts[0] if len(parts) == 1 else pair_key(*parts)
    raise KeyError(data)
