"""Transports to TensorFlow Serving by name: gRPC and REST."""

from inference.serving.adapters.tf_serving.grpc import GrpcModelServer
from inference.serving.adapters.tf_serving.rest import RestModelServer
from inference.serving.model_server import ModelServer


def open_server(kind: str, url: str, model: str) -> ModelServer:
    """`kind` is tf-serving-grpc or tf-serving-rest. Raises SettingsError; connects to nothing."""
    transports = {each.kind: each for each in (GrpcModelServer, RestModelServer)}
    return transports[kind](url, model)
