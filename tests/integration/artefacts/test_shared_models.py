"""Models that machines share, in a folder and in a bucket of a real S3 server, over HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs

from commands.models.lifecycle import promote_model
from commands.models.registry import registry_of
from domain.errors import IntegrityError, NotFoundError, SettingsError, UnavailableError
from domain.events import ModelPromoted
from eventlog.in_memory import InMemoryEventLog
from inference.artefacts.shared import SharedArtefacts
from inference.artefacts.store import FILES, FOREST, GRAPH, MANIFEST, ArtefactStore, content_hash
from operations.models.default_model import ensure
from operations.models.lifecycle import Models
from tests.builders.artefacts import files, manifest
from tests.e2e.stack import free_port
from tests.fixtures.s3 import url_of

HASH = content_hash(files())
Machine = Callable[[str], ArtefactStore]


@pytest.fixture(params=["folder", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "shared")
    bucket: Callable[[str], str] = request.getfixturevalue("s3")
    return bucket("there")


@pytest.fixture
def machine(url: str, tmp_path: Path) -> Machine:
    """The store of a machine of that name."""
    return lambda name: ArtefactStore(tmp_path / name, SharedArtefacts(url, MANIFEST))


@pytest.fixture
def inside(url: str) -> tuple[Any, str]:
    """The file system and the folder in which the artefact lies."""
    opened, root = fs.FileSystem.from_uri(url) if "://" in url else (fs.LocalFileSystem(), url)
    return opened, f"{root}/{HASH}"


def overwrite(inside: tuple[Any, str], name: str, content: bytes) -> None:
    opened, folder = inside
    opened.create_dir(folder, recursive=True)
    with opened.open_output_stream(f"{folder}/{name}") as stream:
        stream.write(content)


def test_what_one_machine_puts_another_opens_and_keeps(machine: Machine, tmp_path: Path) -> None:
    assert machine("one").put(files()) == HASH
    two = machine("two")
    assert two.holds(HASH)
    assert not (tmp_path / "two" / HASH).exists()
    assert two.open(HASH).graph == b"graph"
    # A restart needs the folder alone.
    assert ArtefactStore(tmp_path / "two").open(HASH).manifest == manifest()


def test_a_model_of_another_machine_is_found_by_its_id(machine: Machine) -> None:
    machine("one").put(files())
    assert machine("two").find("m") == HASH
    assert machine("three").find(HASH[:8]) == HASH
    with pytest.raises(NotFoundError, match="no-such"):
        machine("three").find("no-such")


@pytest.mark.parametrize("name", FILES)
def test_an_altered_shared_copy_is_refused_and_replaced_by_a_machine_that_has_it(
    machine: Machine, inside: tuple[Any, str], name: str
) -> None:
    machine("one").put(files())
    overwrite(inside, name, files()[name][:-1] + b"?")
    with pytest.raises(IntegrityError, match=rf"{HASH} was altered"):
        machine("two").open(HASH)
    machine("one").share(HASH)
    assert machine("two").open(HASH).model_hash == HASH


def test_an_artefact_needs_its_manifest(machine: Machine, inside: tuple[Any, str]) -> None:
    for name in (GRAPH, FOREST):
        overwrite(inside, name, files()[name])
    assert not machine("two").holds(HASH)
    with pytest.raises(NotFoundError):
        machine("two").open(HASH)
    machine("one").put(files())
    assert machine("two").holds(HASH)


def test_a_put_that_breaks_off_leaves_no_artefact(url: str) -> None:
    shared = SharedArtefacts(url, MANIFEST)
    for name in (GRAPH, FOREST):
        with pytest.raises(TypeError):
            shared.put(HASH, {**files(), name: None})  # type: ignore[dict-item]
        assert shared.hashes() == []


def test_an_altered_local_copy_is_fetched_again(machine: Machine, tmp_path: Path) -> None:
    machine("one").put(files())
    (tmp_path / "one" / HASH / GRAPH).write_bytes(b"rotten")
    assert machine("one").open(HASH).graph == b"graph"
    assert ArtefactStore(tmp_path / "one").open(HASH).graph == b"graph"


def test_putting_twice_writes_once(machine: Machine, inside: tuple[Any, str]) -> None:
    machine("one").put(files())
    opened, folder = inside
    [before] = opened.get_file_info([f"{folder}/{MANIFEST}"])
    machine("two").put(files())
    [after] = opened.get_file_info([f"{folder}/{MANIFEST}"])
    assert before.mtime_ns == after.mtime_ns


def test_registering_shares_a_model_that_was_not_shared(machine: Machine, tmp_path: Path) -> None:
    facts = {"as_known_at": "2023-10-01T00:00:00Z", "transactions": 9, "frauds": 1,
             "metrics": {"average_precision": 0.5}}  # fmt: skip
    made = {**files(), MANIFEST: manifest(facts=facts).to_json()}
    model_hash = ArtefactStore(tmp_path / "one").put(made)
    log, store = InMemoryEventLog(), machine("one")
    assert not machine("two").holds(model_hash)
    Models(log, store, registry_of(log), lambda _: pytest.fail("loaded")).register("m")
    assert machine("two").open(model_hash).manifest.facts == facts


def test_a_model_that_cannot_be_shared_is_kept_and_says_what_to_do(
    s3: Callable[[str], str], tmp_path: Path
) -> None:
    store = ArtefactStore(tmp_path, SharedArtefacts(s3("missing"), MANIFEST))
    with pytest.raises(
        UnavailableError, match=rf"bucket does not exist.*retrace models register {HASH[:12]}"
    ):
        store.put(files())
    assert store.open(HASH).graph == b"graph"


def test_an_absent_server_is_named_only_for_models_that_are_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    away = SharedArtefacts(url_of(f"127.0.0.1:{free_port()}", "there"), MANIFEST)
    ArtefactStore(tmp_path).put(files())
    store = ArtefactStore(tmp_path, away)
    assert store.open(HASH).graph == b"graph"
    assert store.holds(HASH)
    assert store.find("m") == HASH
    with pytest.raises(UnavailableError, match="there/some/prefix"):
        store.open("0" * 64)
    # The model in force may be there: it is not replaced by a default one.
    log = InMemoryEventLog()
    model = ModelPromoted(model_id="m", model_hash="0" * 64, feature_set="f")
    promote_model(log, model, manifest().thresholds, 0)
    with pytest.raises(UnavailableError):
        ensure(log, store, lambda: 0, lambda _: None, lambda _: files())


def test_an_invalid_place_is_named() -> None:
    with pytest.raises(SettingsError, match="RETRACE_MODELS_URL"):
        SharedArtefacts("nonsense://x", MANIFEST).hashes()
