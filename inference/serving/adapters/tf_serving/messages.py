"""Protobuf messages of TensorFlow Serving, in a descriptor pool of their own.

A pool of protobuf knows each message once. TensorFlow registers its own of the same names in the
default pool, so ours, which are the same on the wire, are kept out of it.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import IntegrityError
from inference.serving.graph import Matrix

_DESCRIPTORS = Path(__file__).with_name("descriptors.binpb")
_DT_FLOAT = 1


@cache
def messages() -> dict[str, Any]:
    """The classes by full name, e.g. `tensorflow.serving.PredictRequest`."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2  # type: ignore[import-untyped]

    files = descriptor_pb2.FileDescriptorSet.FromString(_DESCRIPTORS.read_bytes())
    # What ours import and protobuf itself brings.
    wrappers_pb2.DESCRIPTOR.CopyToProto(files.file.add())
    classes: dict[str, Any] = message_factory.GetMessages(
        list(files.file), pool=descriptor_pool.DescriptorPool()
    )
    return classes


def message(name: str) -> Any:
    """The class of that name in the package tensorflow.serving."""
    return messages()[f"tensorflow.serving.{name}"]


def set_tensor(tensor: Any, values: Matrix) -> None:
    """Fills a TensorProto with float32 of any shape."""
    tensor.dtype = _DT_FLOAT
    for size in values.shape:
        tensor.tensor_shape.dim.add().size = size
    tensor.tensor_content = values.astype("<f4", copy=False).tobytes()


def tensor_values(tensor: Any) -> Matrix:
    """Float32 in the tensor's shape. Raises IntegrityError for other types and for a misfit."""
    if tensor.dtype != _DT_FLOAT:
        raise IntegrityError(f"the server answered with data type {tensor.dtype}, not DT_FLOAT")
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    size = int(np.prod(shape))
    if tensor.tensor_content:
        values = np.frombuffer(tensor.tensor_content, dtype="<f4")
    else:
        values = np.array(tensor.float_val, dtype=np.float32)
        # Equal values at the end may be sent once.
        values = np.pad(values, (0, max(0, size - len(values))), "edge") if len(values) else values
    if len(values) != size:
        raise IntegrityError(f"the server answered {len(values)} values for shape {shape}")
    result: Matrix = values.reshape(shape)
    return result
