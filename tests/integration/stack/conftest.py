"""A local stack that tests start, kill and stop; it is not the session's."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.control import LocalStack, Silent
from runtime.settings import SERVER_FIELDS, Settings, settings_from_environment


def settings_for(folder: Path, **given: object) -> Settings:
    return settings_from_environment(
        **{"state_dir": folder, **dict.fromkeys(SERVER_FIELDS, ""), **given}
    )


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """Running, servers only."""
    folder = Path(tempfile.mkdtemp(prefix="retrace stack-"))
    folder.chmod(0o755)
    made = LocalStack(settings_for(folder), Silent())
    try:
        made.up(apps=False)
        yield made
    finally:
        made.down()
        shutil.rmtree(folder, ignore_errors=True)
