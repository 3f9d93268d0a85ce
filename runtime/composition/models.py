"""Composition of models (artefacts, scorers, registry, MLflow) and of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, partial
from getpass import getuser
from typing import TYPE_CHECKING

from commands.models.registry import registry_of
from commands.ports import LoadModel, ModelScorer, RuleLanguage
from domain.errors import SettingsError
from inference.artefacts.shared import SharedArtefacts
from inference.artefacts.store import MANIFEST, Artefact, ArtefactStore
from runtime.composition.intake import keys_of
from runtime.composition.log import open_log
from runtime.settings import Settings

if TYPE_CHECKING:
    from inference.artefacts.adapters.mlflow import MlflowServer
    from operations.models.lifecycle import Models
    from operations.policy.list_files import Clean
    from operations.policy.publishing import RulePublisher

_Make = Callable[[Artefact], ModelScorer]


def artefacts_of(settings: Settings) -> ArtefactStore:
    """The folder below the state folder, with the shared copy where one is set; reads nothing."""
    shared = SharedArtefacts(settings.models_url, MANIFEST) if settings.models_url else None
    return ArtefactStore(settings.models_dir, shared)


@contextmanager
def open_models(settings: Settings) -> Iterator[Models]:
    """Raises LogUnavailableError."""
    from operations.models.lifecycle import Models

    with open_log(settings) as log, open_scorers(settings) as load:
        yield Models(log, artefacts_of(settings), registry_of(log), load)


@contextmanager
def open_scorers(settings: Settings) -> Iterator[LoadModel]:
    """Loads models into the scorer that the settings name; closed at the end."""
    models = artefacts_of(settings)
    with _makers(settings) as make:
        yield lambda model_hash: make(models.open(model_hash))


@contextmanager
def _makers(settings: Settings) -> Iterator[_Make]:
    if settings.scorer == "litert":
        from inference.serving.adapters.litert import LiteRtScorer

        yield LiteRtScorer
    elif settings.scorer == "tensorflow":
        from inference.serving.adapters.tensorflow import TensorFlowScorer

        yield TensorFlowScorer
    else:
        from inference.serving.adapters.tf_serving.scorer import TfServingScorer
        from inference.serving.adapters.tf_serving.transports import open_server

        server = open_server(settings.scorer, settings.tf_serving_url, settings.tf_serving_model)
        with closing(server):
            yield lambda artefact: TfServingScorer(artefact, server, settings.scorer_timeout)


def open_mlflow(settings: Settings) -> MlflowServer:
    """A context manager. Raises SettingsError where no server is named."""
    from inference.artefacts.adapters.mlflow import MlflowServer

    if not settings.mlflow_url:
        raise SettingsError("MLFLOW_TRACKING_URI is not set: http://host:port of an MLflow server")
    return MlflowServer(settings.mlflow_url, settings.mlflow_token.get_secret_value())


@cache
def rule_language() -> RuleLanguage:
    """Over everything that a rule can see; a process without rules does not load it."""
    from commands.policy.adapters.cel import CelLanguage
    from domain.rule_values import TYPES

    return CelLanguage(TYPES)


def list_cleaner(token_key: bytes) -> Clean:
    """Entries of lists are written as the fields of transactions are, under the same key."""
    from commands.intake.tokens import Tokeniser
    from domain.cleaning.list_keys import list_keys

    return partial(list_keys, tokenise=Tokeniser(token_key))


@contextmanager
def open_publisher(settings: Settings) -> Iterator[RulePublisher]:
    """Raises LogUnavailableError."""
    from commands.policy.keys import refuse_other_keys
    from operations.policy.publishing import RulePublisher

    with open_log(settings) as log:
        refuse_other_keys(log, keys_of(settings))
        yield RulePublisher(log, rule_language(), list_cleaner(settings.token_key), getuser())
