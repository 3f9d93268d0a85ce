"""The MLflow server that the settings name."""

from __future__ import annotations

from domain.errors import SettingsError
from inference.artefacts.adapters.mlflow import MlflowServer
from runtime.settings import Settings


def open_mlflow(settings: Settings) -> MlflowServer:
    """A context manager. Raises SettingsError where no server is named."""
    if not settings.mlflow_url:
        raise SettingsError("MLFLOW_TRACKING_URI is not set: http://host:port of an MLflow server")
    return MlflowServer(settings.mlflow_url, settings.mlflow_token.get_secret_value())
