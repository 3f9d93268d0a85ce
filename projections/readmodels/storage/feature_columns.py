"""Feature columns of `feature_vectors`: one per feature of the catalogue, added and never removed.

See docs/adr/0005-feature-vector-columns.md.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, inspect, text

from domain.errors import SettingsError
from projections.readmodels.storage.tables import feature_vectors

_MOST_BYTES = 63


def ensure_feature_columns(connection: Connection, names: Iterable[str]) -> list[str]:
    """Adds the columns that are missing and returns their names; never drops or changes one.

    Raises SettingsError for a name that cannot be a column of its own.
    """
    wanted = list(names)
    for name in wanted:
        if name in feature_vectors.columns or not 0 < len(name.encode()) <= _MOST_BYTES:
            raise SettingsError(
                f"feature {name!r} cannot be a column of {feature_vectors.name}: the name is "
                f"taken, empty or longer than {_MOST_BYTES} bytes; rename the feature"
            )
    present = {column["name"] for column in inspect(connection).get_columns(feature_vectors.name)}
    missing = [name for name in wanted if name not in present]
    if missing:
        additions = ", ".join(map(_addition, missing))
        connection.execute(text(f"ALTER TABLE {feature_vectors.name} {additions}"))
    return missing


def _addition(name: str) -> str:
    quoted = name.replace('"', '""').replace(":", r"\:")
    return f'ADD COLUMN IF NOT EXISTS "{quoted}" DOUBLE PRECISION'
