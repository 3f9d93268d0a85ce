"""Owns the choice of the transport to a model server by its name."""

from __future__ import annotations

from inference.serving.tf_serving.over_grpc import GrpcModelServer
from inference.serving.tf_serving.over_rest import RestModelServer
from inference.serving.tf_serving.server import ModelServer


def open_server(kind: str, url: str, model: str) -> ModelServer:
    """`kind` is tf-serving-grpc or tf-serving-rest. Raises SettingsError; connects to nothing."""
    transports = {each.kind: each for each in (GrpcModelServer, RestModelServer)}
    return transports[kind](url, model)
