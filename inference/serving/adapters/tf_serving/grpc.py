"""gRPC transport to TensorFlow Serving."""

from typing import Any

from domain.errors import IntegrityError, SettingsError
from inference.serving.adapters.tf_serving.answers import away, columns, not_served
from inference.serving.adapters.tf_serving.messages import message, set_tensor, tensor_values
from inference.serving.graph import Matrix
from inference.serving.model_server import INPUT, OUTPUTS, SIGNATURE

# A server that is back is to be found again at once; the default waits up to two minutes.
_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),
)


class GrpcModelServer:
    """Implements ModelServer. `url` is grpc://host:port, or grpcs:// with TLS."""

    kind = "tf-serving-grpc"

    def __init__(self, url: str, model: str) -> None:
        import grpc

        scheme, _, address = url.partition("://")
        if scheme not in ("grpc", "grpcs") or not address:
            raise SettingsError(f"TF_SERVING_URL: expected grpc://host:port, not {url!r}")
        self.place, self.model = address, model
        if scheme == "grpc":
            self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        else:
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(address, credentials, options=_OPTIONS)
        self._predict = self._method("PredictionService/Predict", "Predict")
        self._status = self._method("ModelService/GetModelStatus", "GetModelStatus")

    def state(self, version: int, timeout: float) -> str:
        request = message("GetModelStatusRequest")()
        self._name(request.model_spec, version)
        answer = self._call(self._status, request, version, timeout)
        for each in answer.model_version_status:
            if each.version == version:
                field = each.DESCRIPTOR.fields_by_name["state"]
                found = field.enum_type.values_by_number.get(each.state)
                return str(found.name) if found else str(each.state)
        return "END"

    def predict(self, version: int, rows: Matrix, timeout: float) -> Matrix:
        request = message("PredictRequest")()
        self._name(request.model_spec, version)
        request.model_spec.signature_name = SIGNATURE
        set_tensor(request.inputs[INPUT], rows)
        request.output_filter.extend(OUTPUTS)
        answer = self._call(self._predict, request, version, timeout)
        spec = answer.model_spec
        if spec.HasField("version") and spec.version.value != version:
            raise IntegrityError(
                f"tf-serving {self.place} answered with version {spec.version.value} of"
                f" {self.model!r} when {version} was asked"
            )
        if missing := [name for name in OUTPUTS if name not in answer.outputs]:
            raise IntegrityError(f"tf-serving {self.place} gave no output {missing[0]!r}")
        score, logit = (tensor_values(answer.outputs[name]) for name in OUTPUTS)
        return columns(score, logit, rows)

    def close(self) -> None:
        self._channel.close()

    def _name(self, spec: Any, version: int) -> None:
        spec.name = self.model
        spec.version.value = version

    def _method(self, path: str, name: str) -> Any:
        return self._channel.unary_unary(
            f"/tensorflow.serving.{path}",
            request_serializer=message(f"{name}Request").SerializeToString,
            response_deserializer=message(f"{name}Response").FromString,
        )

    def _call(self, method: Any, request: Any, version: int, timeout: float) -> Any:
        import grpc

        try:
            return method(request, timeout=timeout)
        except grpc.RpcError as error:
            why = error.details() or error.code().name
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise not_served(self.place, self.model, version, why) from None
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                raise IntegrityError(f"tf-serving {self.place} refuses the row: {why}") from None
            raise away(self.place, f"{error.code().name}: {why}") from None
