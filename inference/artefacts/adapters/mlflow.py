"""MLflow client: runs, and their artefacts through the server's proxy (MLflow's REST API 2.0).

Its own client is not used: beside our locked packages (importlib-metadata) only mlflow-skinny 1.27
resolves on Python 3.11.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from domain.errors import NotFoundError, SettingsError, UnavailableError
from inference.artefacts.tracking import Run

_SECONDS = 30.0
_NOT_FOUND = 404
_LONGEST = 6000  # characters of a parameter


class MlflowServer:
    """Implements TrackingServer. `url` is that of MLFLOW_TRACKING_URI."""

    def __init__(self, url: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=_SECONDS)
        # Without a password that the URL may hold.
        parts = urlsplit(url)
        self.place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")

    def __enter__(self) -> MlflowServer:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def experiment(self, name: str) -> str:
        try:
            found = self._api("GET", "experiments/get-by-name", {"experiment_name": name})
            return str(found["experiment"]["experiment_id"])
        except NotFoundError:
            return str(self._api("POST", "experiments/create", {"name": name})["experiment_id"])

    def begin(self, experiment_id: str, name: str, tags: Mapping[str, str], at: int) -> Run:
        asked = {
            "experiment_id": experiment_id,
            "run_name": name,
            "start_time": at,
            "tags": _pairs(tags),
        }
        return self._run(self._api("POST", "runs/create", asked))

    def log(
        self, run: Run, params: Mapping[str, object], metrics: Mapping[str, float], at: int
    ) -> None:
        texts = {name: str(value)[:_LONGEST] for name, value in params.items()}
        measured = [
            {"key": name, "value": value, "timestamp": at, "step": 0}
            for name, value in metrics.items()
        ]
        asked = {"run_id": run.run_id, "params": _pairs(texts), "metrics": measured}
        self._api("POST", "runs/log-batch", asked)

    def end(self, run: Run, at: int, status: str) -> None:
        asked = {"run_id": run.run_id, "status": status, "end_time": at}
        self._api("POST", "runs/update", asked)

    def run(self, run_id: str) -> Run:
        return self._run(self._api("GET", "runs/get", {"run_id": run_id}))

    def put(self, run: Run, path: str, content: bytes) -> None:
        self._artefact("PUT", run, path, content)

    def get(self, run: Run, path: str) -> bytes:
        return self._artefact("GET", run, path, None).content

    def _run(self, answer: Any) -> Run:
        info = answer["run"]["info"]
        tags = answer["run"].get("data", {}).get("tags", [])
        values = {tag["key"]: tag["value"] for tag in tags}
        return Run(info["run_id"], info["artifact_uri"], values)

    def _artefact(self, method: str, run: Run, path: str, content: bytes | None) -> httpx.Response:
        parts = urlsplit(run.artifacts)
        if parts.scheme != "mlflow-artifacts":
            raise SettingsError(
                f"mlflow {self.place} keeps the artefacts of this experiment at {run.artifacts},"
                " past its proxy: start it with --artifacts-destination, and name another"
                " experiment in MLFLOW_EXPERIMENT_NAME"
            )
        folder = parts.path.strip("/")
        where = f"/api/2.0/mlflow-artifacts/artifacts/{quote(f'{folder}/{path}')}"
        what = f"artefact {path} of run {run.run_id}"
        return self._asked(what, method, where, content=content)

    def _api(self, method: str, path: str, asked: Mapping[str, Any]) -> Any:
        given: dict[str, Any] = {"params": asked} if method == "GET" else {"json": asked}
        answer = self._asked(
            f"{path} {asked.get('run_id', '')}".strip(), method, _at(path), **given
        )
        try:
            return answer.json()
        except ValueError as error:
            raise self._away(f"{path}: the answer is no JSON: is this MLflow?") from error

    def _asked(self, what: str, method: str, where: str, **given: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, where, **given)
        except httpx.HTTPError as error:
            raise self._away(f"{type(error).__name__}: {error}") from None
        if answer.status_code == _NOT_FOUND:
            raise NotFoundError(f"{what.split()[0]} at mlflow {self.place}", what)
        if not answer.is_success:
            raise self._away(f"{what}: {answer.status_code} {_reason(answer)}")
        return answer

    def _away(self, why: str) -> UnavailableError:
        return UnavailableError(f"mlflow {self.place}", why)


def _at(path: str) -> str:
    return f"/api/2.0/mlflow/{path}"


def _pairs(named: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in named.items()]


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]
