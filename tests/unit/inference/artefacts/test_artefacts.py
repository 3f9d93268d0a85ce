"""A stored model is opened only when it is complete and unaltered."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.errors import IntegrityError, NotFoundError, UnavailableError
from inference.artefacts.manifest import FORMAT, Manifest
from inference.artefacts.store import FILES, FOREST, ArtefactStore, content_hash
from tests.builders.artefacts import files, manifest


def test_what_is_put_is_opened_under_its_hash(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path / "models")
    model_hash = store.put(files())
    artefact = store.open(model_hash)
    assert model_hash == content_hash(files()) == artefact.model_hash
    assert (artefact.graph, artefact.forest) == (b"graph", b"trees")
    assert artefact.manifest == manifest()


def test_putting_twice_and_from_many_threads_leaves_one_folder(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        hashes = set(pool.map(lambda _: store.put(files()), range(24)))
    assert [path.name for path in tmp_path.iterdir()] == list(hashes)


@pytest.mark.parametrize("name", FILES)
def test_an_altered_file_is_refused_and_replaced_when_put_again(tmp_path: Path, name: str) -> None:
    store = ArtefactStore(tmp_path)
    model_hash = store.put(files())
    altered = tmp_path / model_hash / name
    altered.write_bytes(altered.read_bytes()[:-1] + b"?")
    assert not store.holds(model_hash)
    with pytest.raises(IntegrityError, match="altered"):
        store.open(model_hash)
    assert store.put(files()) == model_hash
    assert store.holds(model_hash)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    store = ArtefactStore(tmp_path)
    model_hash = store.put(files())
    (tmp_path / model_hash / name).unlink()
    with pytest.raises(IntegrityError, match=name):
        store.open(model_hash)


def test_a_hash_that_names_nothing_is_not_found(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    assert not store.holds("0" * 64)
    with pytest.raises(NotFoundError):
        store.open("0" * 64)


def test_a_put_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    lacking = {**files(), FOREST: None}
    with pytest.raises(TypeError):
        store.put(lacking)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_equal_manifests_have_equal_bytes_and_come_back() -> None:
    data = manifest().to_json()
    assert Manifest.from_json(data).to_json() == data


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"{", "model.json"),
        (manifest().to_json().replace(b'"feature_set"', b'"features"'), "feature_set"),
        (manifest(format=FORMAT + 1).to_json(), f"format {FORMAT + 1}"),
    ],
)
def test_a_manifest_that_cannot_be_read_says_what_is_wrong(data: bytes, named: str) -> None:
    with pytest.raises(IntegrityError, match=named):
        Manifest.from_json(data)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(
        UnavailableError, match=r"disk: cannot write .*/models: .*RETRACE_STATE_DIR"
    ):
        ArtefactStore(tmp_path / "models").put(files())
