"""Settings of where models lie, who scores, and MLflow."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from runtime.settings.slices import Slice
from runtime.settings.urls import starting_with

_TRANSPORTS: Mapping[str, tuple[str, ...]] = {
    "tf-serving-grpc": ("grpc://", "grpcs://"),
    "tf-serving-rest": ("http://", "https://"),
}


class ModelSettings(Slice):
    models_url: str = Field(default="", alias="RETRACE_MODELS_URL")
    """Folder or s3://bucket/prefix where machines share models; none when unset."""
    scorer: Literal["litert", "tensorflow", "tf-serving-grpc", "tf-serving-rest"] = Field(
        default="litert", alias="RETRACE_SCORER"
    )
    """Who scores: litert or tensorflow in process, tf-serving-grpc, -rest."""
    scorer_timeout: float = Field(default=0.1, alias="RETRACE_SCORER_TIMEOUT", gt=0)
    """Seconds for an answer of TensorFlow Serving; past it the rules decide."""
    tf_serving_url: str = Field(default="", alias="TF_SERVING_URL", validate_default=True)
    """grpc://host:port or grpcs:// for tf-serving-grpc, http(s):// for -rest."""
    tf_serving_model: str = Field(
        default="retrace", alias="TF_SERVING_MODEL", pattern="^[A-Za-z0-9_.-]+$"
    )
    """Name under which TensorFlow Serving has our models."""

    mlflow_url: str = Field(default="", alias="MLFLOW_TRACKING_URI")
    """http://host:port of the MLflow server that models are given to or taken from."""
    mlflow_token: SecretStr = Field(default=SecretStr(""), alias="MLFLOW_TRACKING_TOKEN")
    """Bearer token for it; a user and password may stand in its URL."""
    mlflow_experiment: str = Field(default="retrace", alias="MLFLOW_EXPERIMENT_NAME")
    """Experiment of the runs that are made there."""

    @field_validator("mlflow_url")
    @classmethod
    def _mlflow_over_http(cls, value: str) -> str:
        return starting_with(("http://", "https://"), value)

    @field_validator("models_url")
    @classmethod
    def _folder_or_bucket(cls, value: str) -> str:
        if "://" in value and not value.startswith(("file://", "s3://")):
            raise ValueError("expected a folder, or a URL that starts with file:// or s3://")
        return value.rstrip("/")

    @field_validator("tf_serving_url")
    @classmethod
    def _fits_the_scorer(cls, value: str, info: ValidationInfo) -> str:
        scorer = str(info.data.get("scorer"))
        expected = _TRANSPORTS.get(scorer)
        if expected and not value.startswith(expected):
            raise ValueError(f"{scorer} needs a URL that starts with {' or '.join(expected)}")
        return value.rstrip("/")

    def model_environment(self) -> dict[str, str]:
        """The variables that give another process these settings."""
        return {
            "RETRACE_MODELS_URL": self.models_url,
            "RETRACE_SCORER": self.scorer,
            "RETRACE_SCORER_TIMEOUT": str(self.scorer_timeout),
            "TF_SERVING_URL": self.tf_serving_url,
            "TF_SERVING_MODEL": self.tf_serving_model,
        }
