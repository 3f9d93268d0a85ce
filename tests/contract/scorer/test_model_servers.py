"""A model server that is away, slow or wrong: the error names it, and scoring ends in time."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest

from domain.errors import IntegrityError, SettingsError, UnavailableError
from inference.artefacts.store import Artefact, ArtefactStore
from inference.serving.adapters.litert import LiteRtScorer
from inference.serving.adapters.tf_serving.messages import (
    message,
    messages,
    set_tensor,
    tensor_values,
)
from inference.serving.adapters.tf_serving.scorer import TfServingScorer
from inference.serving.adapters.tf_serving.transports import open_server
from inference.serving.forest.keras_model import restored
from inference.serving.graph import SCORE, as_row
from inference.serving.model_server import ModelServer, served_version
from inference.serving.probe import TOLERANCE
from inference.training.saved_model import write_saved_model
from inference.training.train import TrainedModel
from tests.builders.artefacts import with_other_shares
from tests.e2e.stack import eventually, free_port
from tests.fixtures.tf_serving import Servables, serving_grpc, serving_rest

SERVERS = {"tf-serving-grpc": serving_grpc, "tf-serving-rest": serving_rest}
ROW = [3000.0, 2.0, None, 0.01, 0.5, -1e9]
TRANSACTION: Any = None


@dataclass
class Served:
    """One artefact at a server of one kind, which is on `port` or not at all."""

    kind: str
    artefact: Artefact
    servables: Servables
    port: int
    closing: ExitStack

    @property
    def folder(self) -> Path:
        version = served_version(self.artefact.model_hash)
        return self.servables.folder / "retrace" / str(version)

    @property
    def url(self) -> str:
        scheme = "grpc" if self.kind == "tf-serving-grpc" else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def running(self) -> Any:
        return SERVERS[self.kind](self.servables, self.port)

    def opened(self) -> ModelServer:
        """Closed with the test."""
        return self.closing.enter_context(closing(open_server(self.kind, self.url, "retrace")))


@pytest.fixture(scope="module")
def artefact(trained: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    store = ArtefactStore(tmp_path_factory.mktemp("models"))
    return store.open(store.put(trained.files))


@pytest.fixture(params=list(SERVERS))
def served(request: pytest.FixtureRequest, artefact: Artefact, tmp_path: Path) -> Iterator[Served]:
    with ExitStack() as stack:
        folder = tmp_path / "served"
        made = Served(request.param, artefact, Servables(folder), free_port(), stack)
        write_saved_model(artefact, made.folder)
        yield made


def test_a_server_that_goes_away_is_named_and_is_used_again_once_it_is_back(served: Served) -> None:
    with served.running():
        scorer = TfServingScorer(served.artefact, served.opened(), timeout=2.0)
        first = scorer.score(TRANSACTION, ROW)
    with pytest.raises(UnavailableError, match=rf"tf-serving .*{served.port}"):
        scorer.score(TRANSACTION, ROW)
    with served.running():
        assert eventually(lambda: answered(scorer)) == first


def answered(scorer: TfServingScorer) -> Any:
    try:
        return scorer.score(TRANSACTION, ROW)
    except UnavailableError:
        return None


def test_a_server_that_is_away_loads_no_model(served: Served) -> None:
    with pytest.raises(UnavailableError, match=rf"tf-serving .*{served.port}"):
        TfServingScorer(served.artefact, served.opened(), timeout=2.0)


def test_a_slow_server_times_out_and_is_not_asked_again_for_a_while(served: Served) -> None:
    with served.running():
        scorer = TfServingScorer(served.artefact, served.opened(), timeout=0.1)
        served.servables.delay = 1.0
        began, asked = monotonic(), served.servables.asked
        with pytest.raises(UnavailableError):
            scorer.score(TRANSACTION, ROW)
        assert monotonic() - began < 0.9
        for _ in range(50):
            with pytest.raises(UnavailableError, match="has just not answered"):
                scorer.score(TRANSACTION, ROW)
        assert served.servables.asked <= asked + 1
        served.servables.delay = 0.0
        assert eventually(lambda: answered(scorer))


def test_a_version_that_is_not_served_says_how_to_export_it(served: Served) -> None:
    missing = replace(served.artefact, model_hash="f" * 64)
    with served.running(), pytest.raises(UnavailableError, match="retrace models export"):
        TfServingScorer(missing, served.opened(), timeout=2.0)


def test_another_model_under_our_version_is_refused(served: Served) -> None:
    with pytest.raises(IntegrityError, match="probe row 0"):
        write_saved_model(with_other_shares(served.artefact, 1.01), served.folder)
    wrong = with_other_shares(served.artefact, 1.01)
    own_probe = rescored(wrong)
    write_saved_model(own_probe, served.folder)
    with served.running(), pytest.raises(IntegrityError, match="probe row 0"):
        TfServingScorer(served.artefact, served.opened(), timeout=2.0)


def rescored(artefact: Artefact) -> Artefact:
    """The artefact with the probe that its weights give, as if it had been trained so."""
    manifest = artefact.manifest
    model = restored(artefact)
    scores = [float(np.asarray(model(as_row(row)))[0, SCORE]) for row in manifest.probe.rows]
    probe = msgspec.structs.replace(manifest.probe, scores=scores)
    return replace(artefact, manifest=msgspec.structs.replace(manifest, probe=probe))


def test_one_row_and_its_reasons_are_one_request(served: Served) -> None:
    with served.running():
        scorer = TfServingScorer(served.artefact, served.opened(), timeout=30.0)
        asked = served.servables.asked
        scorer.score(TRANSACTION, ROW)
        assert served.servables.asked == asked + 1


@pytest.mark.parametrize("url", ["127.0.0.1:8500", "ftp://127.0.0.1"])
@pytest.mark.parametrize("kind", list(SERVERS))
def test_a_url_of_another_kind_is_refused(kind: str, url: str) -> None:
    with pytest.raises(SettingsError, match="TF_SERVING_URL"):
        open_server(kind, url, "retrace")


SCRIPT = """
import sys
from pathlib import Path
from runtime.composition.models import open_scorers
from runtime.settings import settings_from_environment
settings = settings_from_environment(
    state_dir=Path(sys.argv[1]), scorer=sys.argv[2], tf_serving_url=sys.argv[3], scorer_timeout=30
)
with open_scorers(settings) as load:
    score = load(sys.argv[4]).score(None, [3000.0, 2.0, None, 0.01, 0.5, -1e9])
heavy = {"tensorflow", "keras", "pandas", "ai_edge_litert"} & set(sys.modules)
assert not heavy, heavy
print(score.value)
"""


def test_a_process_that_asks_a_server_loads_no_framework(
    served: Served, trained: TrainedModel, tmp_path: Path
) -> None:
    model_hash = ArtefactStore(tmp_path / "models").put(trained.files)
    with served.running():
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path), served.kind, served.url, model_hash],
            capture_output=True, text=True, cwd=Path(__file__).parents[3],
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = LiteRtScorer(served.artefact).value(ROW)
    assert abs(float(done.stdout) - expected) <= TOLERANCE


def test_other_clients_may_ask_by_row(artefact: Artefact, tmp_path: Path) -> None:
    version = served_version(artefact.model_hash)
    write_saved_model(artefact, tmp_path / "retrace" / str(version))
    with serving_rest(Servables(tmp_path)) as url:
        path = f"{url}/v1/models/retrace/versions/{version}:predict"
        row = [3000.0, 2.0, 0.0, 0.01, 0.5, 0.25]
        predictions = httpx.post(path, json={"instances": [row, row]}).json()["predictions"]
        columns = httpx.post(path, json={"inputs": [row, row]}).json()["outputs"]
        refused = httpx.post(path, json={"instances": [row[1:]]})
    assert [each["score"] for each in predictions] == columns["score"]
    assert predictions[0]["score"] == pytest.approx(LiteRtScorer(artefact).value(row), abs=1e-5)
    assert refused.status_code == 400
    assert "shape" in refused.json()["error"]


# Made by the published package tensorflow-serving-api 2.21.0.
REQUEST = (
    "0a1e0a0772657472616365120208071a0f73657276696e675f64656661756c7412220a08666561747572657312160801"
    "1208120208011202080222080000c03f0000c07f1a0573636f72651a056c6f676974"
)
RESPONSE = (
    "0a1b0a056c6f676974121208011204120208022a08000080bf000000400a1b0a0573636f726512120801120412020802"
    "2a080000803e0000803e120d0a077265747261636512020807"
)
STATUS = "0a060807101e1a000a0e080610321a0808051204676f6e65"


def test_what_is_sent_has_the_bytes_of_the_published_protocol() -> None:
    request = message("PredictRequest")()
    request.model_spec.name, request.model_spec.signature_name = "retrace", "serving_default"
    request.model_spec.version.value = 7
    set_tensor(request.inputs["features"], np.array([[1.5, np.nan]], dtype=np.float32))
    request.output_filter.extend(["score", "logit"])
    assert request.SerializeToString(deterministic=True).hex() == REQUEST


def test_what_the_published_protocol_answers_is_read() -> None:
    answer = message("PredictResponse").FromString(bytes.fromhex(RESPONSE))
    assert tensor_values(answer.outputs["score"]).tolist() == [0.25, 0.25]
    assert tensor_values(answer.outputs["logit"]).tolist() == [-1.0, 2.0]
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("retrace", 7)
    status = message("GetModelStatusResponse").FromString(bytes.fromhex(STATUS))
    told = [(s.version, s.state, s.status.error_message) for s in status.model_version_status]
    assert told == [(7, 30, ""), (6, 50, "gone")]


def test_our_tensors_and_tensorflows_own_are_the_same_in_one_process() -> None:
    from inference.serving.forest.tensorflow_setup import start

    tensorflow = start()
    values = np.array([[1.5, np.nan, -np.inf], [0.0, 1e-30, 3e38]], dtype=np.float32)
    ours = messages()["tensorflow.TensorProto"]()
    set_tensor(ours, values)
    theirs = tensorflow.make_tensor_proto(values)
    assert theirs.SerializeToString() == ours.SerializeToString()
    read = tensorflow.make_ndarray(type(theirs).FromString(ours.SerializeToString()))
    assert read.tobytes() == values.tobytes()
    again = messages()["tensorflow.TensorProto"].FromString(
        tensorflow.make_tensor_proto(np.zeros((3, 2), dtype=np.float32)).SerializeToString()
    )
    assert tensor_values(again).tolist() == np.zeros((3, 2)).tolist()


def test_a_tensor_that_is_none_of_ours_is_refused() -> None:
    tensor = messages()["tensorflow.TensorProto"](dtype=2)
    with pytest.raises(IntegrityError, match="data type 2"):
        tensor_values(tensor)
    short = messages()["tensorflow.TensorProto"]()
    set_tensor(short, np.zeros((2, 2), dtype=np.float32))
    short.tensor_content = short.tensor_content[:-4]
    with pytest.raises(IntegrityError, match="3 values for shape"):
        tensor_values(short)
