"""Contract of every scorer of one artefact: LiteRT, TensorFlow, TensorFlow Serving."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.ports import Scorer
from domain.errors import IntegrityError, SettingsError
from domain.features import CATALOGUE
from domain.transactions import Transaction
from inference.artefacts.store import Artefact, ArtefactStore
from inference.serving.adapters.litert import LiteRtScorer
from inference.serving.adapters.tensorflow import TensorFlowScorer
from inference.serving.adapters.tf_serving.scorer import TfServingScorer
from inference.serving.adapters.tf_serving.transports import open_server
from inference.serving.forest.keras_model import restored
from inference.serving.model_server import served_version
from inference.serving.probe import TOLERANCE
from inference.training.export import converted
from inference.training.saved_model import write_saved_model
from inference.training.train import TrainedModel
from tests.builders.artefacts import with_other_shares
from tests.builders.training_frames import FEATURE_SET, NAMES, synthetic
from tests.fixtures.tf_serving import Servables, serving_grpc, serving_rest

TRANSACTION = Transaction(transaction_id="t", timestamp=0, amount=1, currency="EUR", base_amount=1)
WIDTH = len(NAMES)
values = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.floats(-10, 1e6)
vectors = st.lists(values, min_size=WIDTH, max_size=WIDTH)
Make = Callable[[Artefact], Scorer]
SERVERS = {"tf-serving-grpc": serving_grpc, "tf-serving-rest": serving_rest}


@pytest.fixture(scope="session")
def artefact(trained: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    store = ArtefactStore(tmp_path_factory.mktemp("models"))
    return store.open(store.put(trained.files))


@pytest.fixture(scope="session", params=["litert", "tensorflow", *SERVERS])
def make(
    request: pytest.FixtureRequest, artefact: Artefact, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Make]:
    if request.param == "litert":
        yield LiteRtScorer
    elif request.param == "tensorflow":
        yield TensorFlowScorer
    else:
        folder = tmp_path_factory.mktemp("served")
        write_saved_model(artefact, folder / "retrace" / str(served_version(artefact.model_hash)))
        with (
            SERVERS[request.param](Servables(folder)) as url,
            closing(open_server(request.param, url, "retrace")) as server,
        ):
            yield lambda asked: TfServingScorer(asked, server, timeout=30.0)


@pytest.fixture(scope="session")
def scorer(make: Make, artefact: Artefact) -> Scorer:
    return make(artefact)


def rows(number: int) -> list[list[float | None]]:
    frame = synthetic(number, seed=11)
    return [[None if np.isnan(v) else float(v) for v in row] for row in frame.vectors]


def test_a_scorer_names_its_model_and_what_it_runs_on(scorer: Scorer, artefact: Artefact) -> None:
    assert scorer.model_id == artefact.manifest.model_id
    assert scorer.model_hash == artefact.model_hash
    assert scorer.inputs.feature_set == FEATURE_SET
    kind, where = scorer.fingerprint.split("/", 1)
    if scorer.blocking:
        # The server does not say what it runs on: kind, name and version are all that is known.
        assert kind in SERVERS
        assert where == f"retrace/{served_version(artefact.model_hash)}"
    else:
        assert kind.split("-")[1][0].isdigit()
        assert where


@given(vector=vectors)
@settings(max_examples=50, deadline=None)
def test_any_vector_gets_a_score_and_known_reasons(
    scorer: Scorer, vector: Sequence[float | None]
) -> None:
    score = scorer.score(TRANSACTION, vector)
    assert 0 <= score.value <= 1
    assert len(score.reasons) <= 3
    assert set(score.reasons) <= {f"model.{name}" for name in NAMES}


@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_too_large_for_the_graph_scores_like_the_greatest_that_it_takes(
    scorer: Scorer, sign: int
) -> None:
    greatest = sign * float(np.finfo(np.float32).max)
    for place in range(WIDTH):
        most, beyond, infinite = ([0.0] * WIDTH for _ in range(3))
        most[place], beyond[place], infinite[place] = greatest, sign * 1e300, sign * math.inf
        expected = scorer.score(TRANSACTION, most)
        assert scorer.score(TRANSACTION, beyond) == expected
        assert scorer.score(TRANSACTION, infinite) == expected


def test_unknown_is_the_same_as_none_or_nan(scorer: Scorer) -> None:
    assert scorer.score(TRANSACTION, [None] * WIDTH) == scorer.score(
        TRANSACTION, [float("nan")] * WIDTH
    )


def test_an_unknown_value_differs_from_a_zero(scorer: Scorer) -> None:
    known = rows(1)[0]
    unknown, zero = [None, *known[1:]], [0.0, *known[1:]]
    assert scorer.score(TRANSACTION, unknown).value != scorer.score(TRANSACTION, zero).value


def test_a_reloaded_model_gives_the_same_bits(
    make: Make, scorer: Scorer, artefact: Artefact
) -> None:
    again = make(artefact)
    for row in rows(20):
        assert again.score(TRANSACTION, row) == scorer.score(TRANSACTION, row)


def test_threads_that_score_at_once_get_the_same_bits(scorer: Scorer) -> None:
    work = rows(40) * 3
    alone = [scorer.score(TRANSACTION, row) for row in work]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda row: scorer.score(TRANSACTION, row), work))
    assert together == alone


def test_every_scorer_agrees_with_the_oracle_and_ranks_fraud_above_the_rest(
    scorer: Scorer, artefact: Artefact
) -> None:
    oracle = TensorFlowScorer(artefact)
    frame = synthetic(200, seed=12)
    scores = [
        (scorer.score(TRANSACTION, row), oracle.score(TRANSACTION, row))
        for row in frame.vectors.tolist()
    ]
    assert max(abs(a.value - b.value) for a, b in scores) <= TOLERANCE
    by_label = [[a.value for (a, _), y in zip(scores, frame.labels, strict=True) if y == label]
                for label in (0, 1)]  # fmt: skip
    assert np.median(by_label[1]) > 3 * np.median(by_label[0])


def test_a_fraud_is_explained_by_what_makes_it_one(scorer: Scorer) -> None:
    reasons = scorer.score(TRANSACTION, [9e5, 1.0, 0.0, 0.03, 0.0, 0.0]).reasons
    assert reasons[0] == "model.amount"
    reasons = scorer.score(TRANSACTION, [3000.0, 9.0, 0.0, 0.03, 0.0, 0.0]).reasons
    assert reasons[0] == "model.count_1h"


def test_a_vector_of_another_length_is_refused(scorer: Scorer) -> None:
    with pytest.raises(SettingsError, match="takes 6 features, not 7"):
        scorer.score(TRANSACTION, [1.0] * 7)


def test_a_model_without_definitions_takes_its_own_feature_set_alone(scorer: Scorer) -> None:
    with pytest.raises(SettingsError, match=rf"takes feature set {FEATURE_SET[:12]} alone"):
        scorer.inputs.check(CATALOGUE)


def test_a_model_that_misses_its_probe_is_refused(make: Make, artefact: Artefact) -> None:
    probe = artefact.manifest.probe
    off = msgspec.structs.replace(probe, scores=[probe.scores[0] + 2e-5, *probe.scores[1:]])
    manifest = msgspec.structs.replace(artefact.manifest, probe=off)
    altered = Artefact(artefact.model_hash, artefact.graph, artefact.forest, manifest)
    with pytest.raises(IntegrityError, match="probe row 0"):
        make(altered)


def test_a_model_without_a_probe_is_refused(make: Make, artefact: Artefact) -> None:
    empty = msgspec.structs.replace(artefact.manifest.probe, rows=[], scores=[])
    manifest = msgspec.structs.replace(artefact.manifest, probe=empty)
    altered = Artefact(artefact.model_hash, artefact.graph, artefact.forest, manifest)
    with pytest.raises(IntegrityError, match="no usable probe"):
        make(altered)


def test_a_wrong_graph_under_a_right_manifest_is_refused(artefact: Artefact) -> None:
    planted = converted(restored(with_other_shares(artefact, 1.002)))
    with pytest.raises(IntegrityError, match="probe row 0"):
        LiteRtScorer(replace(artefact, graph=planted))
    right = converted(restored(artefact))
    LiteRtScorer(replace(artefact, graph=right))
