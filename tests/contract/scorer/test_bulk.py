"""Scores in bulk have the bits of decisions, by whatever way they are made."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given

from inference.artefacts.manifest import Calibration, Probe
from inference.artefacts.store import FILES, Artefact, ArtefactStore
from inference.serving import bulk
from inference.serving.adapters.litert import quickest
from inference.serving.bulk import Floats, bulk_scores
from inference.serving.forest.forest import Forest
from inference.serving.forest.keras_model import scoring
from inference.serving.forest.sums import LeafSums
from inference.serving.forest.tail import tail_of
from inference.serving.graph import SCORE, Graph, Matrix, as_rows
from inference.serving.probe import TOLERANCE
from inference.training.export import converted, to_list
from tests.builders.artefacts import manifest
from tests.builders.feature_streams import examples
from tests.unit.inference.serving.forests import ROWS, WIDTH, drawn

HISTORIES = Path(__file__).parents[2] / "histories"
Run = Callable[[Matrix], Matrix]


def graph_of(forest: Forest) -> tuple[Any, bytes]:
    model = scoring(forest, WIDTH, Calibration(1.25, -0.5))
    return model, converted(model)


@pytest.fixture(
    scope="module",
    params=[drawn(1, 1, 0, 0), drawn(2, 9, 0), drawn(3, 7, 30)],
    ids=["a lone leaf", "averaged trees", "both kinds"],
)
def ways(request: pytest.FixtureRequest) -> tuple[Run, Run]:
    """By the graph that decides, and by compiled sums and the tail of the graph."""
    _, content = graph_of(request.param)
    tail = tail_of(content)
    assert tail is not None
    whole, behind, sums = Graph(content, 1), Graph(tail, 64), LeafSums(request.param)

    def many(rows: Matrix) -> Matrix:
        found = np.ones((-(-len(rows) // 64) * 64, 2), np.float32)
        found[: len(rows)] = sums(rows)
        return np.concatenate([behind.run(b) for b in found.reshape(-1, 64, 2)])[: len(rows)]

    return lambda rows: np.concatenate([whole.run(row[None, :]) for row in rows]), many


@given(rows=ROWS)
@examples(60)
def test_scores_of_many_have_the_bits_of_the_graph_of_one_row(
    ways: tuple[Run, Run], rows: Matrix
) -> None:
    one_by_one, many = ways
    assert many(rows).tobytes() == one_by_one(rows).tobytes()


@pytest.fixture(scope="module")
def both() -> tuple[Graph, Any]:
    # TensorFlow takes subnormal numbers for 0, and LiteRT does not.
    model, content = graph_of(drawn(4, 21, 6, subnormal=False))
    return Graph(content, 1), model


@given(rows=ROWS)
@examples(30)
def test_scores_are_those_of_tensorflow_within_the_tolerance_of_the_probe(
    both: tuple[Graph, Any], rows: Matrix
) -> None:
    graph, model = both
    normal = np.where(np.abs(rows) < np.finfo(np.float32).tiny, np.float32(0), rows)
    found = np.concatenate([graph.run(row[None, :]) for row in normal])
    assert np.abs(np.asarray(model(normal)) - found)[:, SCORE].max() <= TOLERANCE


@pytest.fixture(scope="module")
def artefact() -> Artefact:
    forest = drawn(5, 21, 40)
    names = [f"f{number}" for number in range(WIDTH)]
    _, content = graph_of(forest)
    return Artefact("h" * 64, content, forest.to_bytes(), manifest(feature_names=names))


def drawn_vectors(artefact: Artefact, number: int = 1_200) -> tuple[Floats, list[int]]:
    """Values of two features more than the model takes, and in another order; some too large."""
    random = np.random.default_rng(8)
    width = len(artefact.manifest.feature_names)
    vectors = random.lognormal(1, 2, (number, width + 2))
    vectors[random.random(vectors.shape) < 0.2] = np.nan
    vectors[:: number // 9] *= 1e60
    return vectors, random.permutation(width + 2)[:width].tolist()


def one_by_one(artefact: Artefact, vectors: Floats, places: list[int]) -> list[float]:
    single = Graph(artefact.graph, 1)
    return [float(single.run(row[None, :])[0, SCORE]) for row in as_rows(vectors[:, places])]


def test_scores_in_bulk_are_those_of_one_row_at_a_time(
    artefact: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, places = drawn_vectors(artefact)
    asked: list[int] = []

    def run(graph: Graph, given: Matrix) -> Matrix:
        asked.append(graph.width)
        return plain(graph, given)

    plain = Graph.run
    monkeypatch.setattr(Graph, "run", run)
    monkeypatch.setattr(bulk, "_BLOCK", 500)
    scores, together = bulk_scores(artefact, vectors, places)
    assert together
    # The trees walked in the graph for the rows that were tried alone.
    assert sum(width == len(places) for width in asked) == 1_024
    assert scores.tolist() == one_by_one(artefact, vectors, places)


def off(forest: Forest) -> Run:
    sums = LeafSums(forest)
    return lambda rows: np.nextafter(sums(rows), np.float32(np.inf))


@pytest.mark.parametrize("exact", [True, False])
def test_a_decision_takes_the_sums_where_they_have_the_bits_of_the_graph(
    artefact: Artefact, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exact:
        monkeypatch.setattr(bulk, "LeafSums", off)
    vectors, places = drawn_vectors(artefact, 90)
    rows, graph = as_rows(vectors[:, places]), Graph(artefact.graph, 1)
    probe = Probe([to_list(row) for row in rows[:40]], [])
    tried = replace(artefact, manifest=msgspec.structs.replace(artefact.manifest, probe=probe))
    run = quickest(tried, graph)
    assert (run != graph.run) == exact
    for row in rows:
        assert run(row[None, :]).tobytes() == graph.run(row[None, :]).tobytes()


def test_sums_with_another_bit_are_not_taken(
    artefact: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LeafSums", off)
    vectors, places = drawn_vectors(artefact)
    scores, _ = bulk_scores(artefact, vectors, places)
    assert scores.tolist() == one_by_one(artefact, vectors, places)


@pytest.mark.parametrize("version", ["v4-model", "v5-model"])
def test_models_of_earlier_formats_go_through_their_graph(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: Any) -> Any:
        raise AssertionError("this graph adds in an order of its own")

    monkeypatch.setattr(bulk, "tail_of", never)
    store = ArtefactStore(tmp_path)
    files = {name: (HISTORIES / version / name).read_bytes() for name in FILES}
    earlier = store.open(store.put(files))
    vectors, places = drawn_vectors(earlier)
    scores, _ = bulk_scores(earlier, vectors, places)
    assert scores.tolist() == one_by_one(earlier, vectors, places)
