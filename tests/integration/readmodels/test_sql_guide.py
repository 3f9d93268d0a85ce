"""The SQL guide: docs/sql.md explains every column, and its examples run."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from projections.readmodels.adapters.postgres import transactions_projection
from projections.readmodels.storage.tables import METADATA
from tests.builders.read_model_facts import project_all, small_history
from tests.builders.table_contents import rows

GUIDE = Path(__file__).parents[3] / "docs" / "sql.md"
EXAMPLES = re.findall(r"```sql\n(.*?);\n```", GUIDE.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("name", sorted(METADATA.tables))
def test_every_column_is_explained(name: str) -> None:
    text = GUIDE.read_text()
    assert name in text
    missing = [c.name for c in METADATA.tables[name].columns if f"`{c.name}`" not in text]
    assert missing == []


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_runs(engine: Engine, example: str) -> None:
    project_all(transactions_projection(engine), small_history())
    # SQLAlchemy takes a colon before a word for a parameter.
    found = rows(engine, re.sub(r"(?<!:):(?=\w)", r"\\:", example))
    if "EXCEPT" in example:
        assert found == []
