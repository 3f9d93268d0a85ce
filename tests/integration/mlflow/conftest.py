"""A real MLflow server in a virtual environment of its own, over SQLite and a folder."""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runtime.settings import settings_from_environment
from tests.e2e.stack import eventually, free_port

LOCK = Path(__file__).with_name("requirements.lock")
# No telemetry, no job runner, and none of our packages.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONPATH": "",
}


@pytest.fixture(scope="session")
def mlflow_python() -> Path:
    """The interpreter of an environment with the locked MLflow; made once for each lock."""
    key = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    cache = settings_from_environment().cache_dir
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"mlflow-{key}"
    python, whole = folder / "bin" / "python", folder / "whole"
    with (cache / "mlflow.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            uv = str(Path(sys.executable).with_name("uv"))
            run = [uv, "venv", "--quiet", "--python", sys.executable, str(folder)]
            subprocess.run(run, check=True)
            install = [uv, "pip", "install", "--quiet", "--python", str(python)]
            subprocess.run([*install, "--require-hashes", "-r", str(LOCK)], check=True)
            whole.touch()
    return python


@pytest.fixture(scope="session")
def mlflow_url(mlflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    url = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [str(mlflow_python), "-m", "mlflow", "server", "--host", "127.0.0.1",
             "--port", str(port), "--workers", "1",
             "--backend-store-uri", f"sqlite:///{folder}/runs.db",
             "--artifacts-destination", str(folder / "artefacts")],
            cwd=folder, env={**os.environ, **QUIET}, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip

        def healthy() -> bool:
            ended = server.poll()
            assert ended is None, f"MLflow has ended: {(folder / 'server.log').read_text()[-2000:]}"
            return httpx.get(f"{url}/health", timeout=5).is_success

        try:
            eventually(healthy, within=240)
            yield url
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)
