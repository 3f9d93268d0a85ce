"""Features: declared once, folded into states, finished when they are read. No I/O."""

from domain.features.declarations.catalogue import CATALOGUE
from domain.features.declarations.feature import DeclarationError, Feature
from domain.features.declarations.feature_set import FeatureSet
from domain.features.declarations.inputs import Inputs
from domain.features.entities import Entity, entity_keys
from domain.features.events import FeatureEvent, feature_event
from domain.features.finish import finish
from domain.features.state import EntityState
from domain.features.versions import Held, decode_held, encode_held

__all__ = [
    "CATALOGUE",
    "DeclarationError",
    "Entity",
    "EntityState",
    "Feature",
    "FeatureEvent",
    "FeatureSet",
    "Held",
    "Inputs",
    "decode_held",
    "encode_held",
    "entity_keys",
    "feature_event",
    "finish",
]
