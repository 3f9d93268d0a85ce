"""Start of TensorFlow: quiet, on the CPU, deterministic."""

import os
from typing import Any

QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # its kernels choose sums by machine load
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
}


def start() -> Any:
    """Imports TensorFlow (seconds) with sums in one order; the environment is set before."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import tensorflow

    tensorflow.get_logger().setLevel("ERROR")
    tensorflow.config.experimental.enable_op_determinism()
    return tensorflow
