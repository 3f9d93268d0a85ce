"""Feast registry and store: applies feature_repo, and opens Feast with our settings."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from host.files import write_whole

if TYPE_CHECKING:
    from feast import FeatureStore, RepoConfig

REPO = Path(__file__).resolve().parents[3] / "feature_repo"


class FeastSettings(Protocol):
    """The slice of the settings that Feast needs."""

    @property
    def feast_registry(self) -> Path: ...

    def environment(self) -> dict[str, str]:
        """The variables that feature_store.yaml expands."""
        ...


def repo_config(
    settings: FeastSettings, *, socket_timeout: float | None = None, project: str | None = None
) -> RepoConfig:
    """feature_store.yaml with these settings in it; the process's environment is left alone."""
    import yaml  # type: ignore[import-untyped]
    from feast import RepoConfig

    text = (REPO / "feature_store.yaml").read_text()
    for name, value in settings.environment().items():
        text = text.replace(f"${{{name}}}", value)
    fields: dict[str, Any] = yaml.safe_load(text)
    if socket_timeout is not None:
        fields["online_store"]["socket_timeout"] = socket_timeout
    if project is not None:
        fields["project"] = project
    return RepoConfig(repo_path=REPO, **fields)


def feature_store(settings: FeastSettings, *, socket_timeout: float | None = None) -> FeatureStore:
    from feast import FeatureStore

    return FeatureStore(config=repo_config(settings, socket_timeout=socket_timeout))


def apply(settings: FeastSettings) -> bool:
    """What `feast apply` does. False where definitions and features are those applied before."""
    stamp = settings.feast_registry.with_suffix(".applied")
    wanted = _fingerprint()
    if settings.feast_registry.exists() and stamp.exists() and stamp.read_text() == wanted:
        return False
    settings.feast_registry.parent.mkdir(parents=True, exist_ok=True)
    _apply_all(settings)
    write_whole(stamp, wanted.encode())
    return True


def _apply_all(settings: FeastSettings) -> None:
    from feature_repo import definitions as repo

    store = feature_store(settings)
    store.apply(
        [
            *repo.entities,
            repo.transaction,
            *repo.state_views,
            repo.features,
            repo.transaction_features,
            repo.training,
            repo.scoring,
        ]
    )


def _fingerprint() -> str:
    """Changes with anything that the registry is made from."""
    from importlib.metadata import version

    from domain.features import CATALOGUE

    files = [(REPO / name).read_text() for name in ("definitions.py", "feature_store.yaml")]
    parts = [CATALOGUE.hash, *CATALOGUE.names, version("feast"), *files]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
