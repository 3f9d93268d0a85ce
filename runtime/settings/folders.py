"""Settings of the state folder, and where things lie in it."""

from hashlib import sha256
from pathlib import Path
from re import sub
from socket import gethostname

from pydantic import Field, field_validator

from host.checkout import CHECKOUT
from runtime.settings.slices import Slice


class FolderSettings(Slice):
    state_dir: Path = Field(default=CHECKOUT / ".retrace", alias="RETRACE_STATE_DIR")
    """Folder of the local stack's data, logs and generated keys."""
    cache_dir: Path = Field(default=CHECKOUT / ".retrace" / "cache", alias="RETRACE_CACHE_DIR")
    """Folder of downloaded jars; several local stacks may share it."""

    @field_validator("state_dir", "cache_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def models_dir(self) -> Path:
        return self.state_dir / "models"

    @property
    def training_dir(self) -> Path:
        return self.state_dir / "training"

    @property
    def file_training_dir(self) -> Path:
        """Apart from those of the log, which `retrace train --resume` takes up."""
        return self.state_dir / "training-from-files"

    @property
    def backtests_dir(self) -> Path:
        """Columns of backtests that run or were interrupted."""
        return self.state_dir / "backtests"

    def member(self, name: str) -> str:
        """Of a process, among those of all hosts: the same after a restart.

        In the characters that Kafka takes for members of a group.
        """
        host = sub(r"[^a-zA-Z0-9._-]", "-", gethostname())
        folder = sha256(str(self.state_dir).encode()).hexdigest()[:8]
        return f"{name}.{host}.{folder}"

    @property
    def feast_registry(self) -> Path:
        return self.state_dir / "feast" / "registry.db"
