"""A training run that ends early can be resumed from its folder; one that finishes leaves none."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import ConflictError, InvalidInputError
from host.source_digest import source_files
from inference.frame import frame
from inference.frame import stored as stored_frame
from inference.serving.forest import forest, keras_model
from inference.training import train as train_module
from inference.training.fitting import fit, trees
from inference.training.train import train
from operations.models import default_model
from operations.training import runs
from operations.training.runs import (
    Asked,
    TrainingRun,
    begun,
    interrupted,
    read_run,
    remove,
    trained_by,
)
from tests.builders.training_frames import ASKED, ROWS, synthetic

TRAINS = """
import sys
from pathlib import Path
from operations.training.runs import begun, trained_by
from tests.builders.training_frames import ASKED, ROWS, synthetic
with begun(Path(sys.argv[1]), ASKED, synthetic(ROWS)) as run:
    trained_by(run, lambda _done, text: print(text, flush=True))
"""


def nothing(_done: float, _text: str) -> None:
    return None


def begin(root: Path, asked: Asked = ASKED) -> TrainingRun:
    with begun(root, asked, synthetic(ROWS)) as run:
        return run


@pytest.fixture
def training(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that trains with its runs in tmp_path, and stands still with its first trees."""
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert any(line.startswith("earlier labels, 10 of") for line in process.stdout)
        process.send_signal(signal.SIGSTOP)
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_a_killed_run_ends_in_equal_bits(training: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="1 in progress"), interrupted(tmp_path):
        pass
    with pytest.raises(ConflictError, match="another process"):
        begin(tmp_path)
    training.send_signal(signal.SIGKILL)
    training.wait()
    with interrupted(tmp_path) as run:
        assert run.asked == ASKED
        first = run.folder / "earlier-0.npz"
        grown = first.stat().st_mtime_ns
        files = trained_by(run, nothing).files
        assert first.stat().st_mtime_ns == grown
        remove(run)
    assert files == train(synthetic(ROWS), ASKED.settings, nothing).files
    assert not list(tmp_path.iterdir())


def test_asking_for_the_same_again_goes_on_with_the_same_run(tmp_path: Path) -> None:
    first = begin(tmp_path)
    again = begin(tmp_path, replace(ASKED, promote=True, force=True, workers=2))
    assert again.folder == first.folder
    assert read_run(again.folder).asked.promote
    assert read_run(again.folder).asked.force
    others = (replace(ASKED, as_known_at=8), replace(ASKED, features="served"))
    folders = {begin(tmp_path, other).folder for other in others}
    assert len(folders | {first.folder}) == 3


def test_the_last_run_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    begin(tmp_path)
    last = begin(tmp_path, replace(ASKED, as_known_at=8))
    with interrupted(tmp_path) as run:
        assert run == last
        remove(run)
    # The end of a later run removes the earlier one.
    with (
        pytest.raises(InvalidInputError, match="no training run was interrupted"),
        interrupted(tmp_path),
    ):
        pass


# Written by the version before the packages operations, cli, local and host.
EARLIER = """{"asked":{"as_known_at":7,"features":"ideal","settings":{"seed":3,"budget":
{"decline":0.005,"step_up":0.001,"review":0.014},"fitting":{"hidden":[64,32],"embedding":8,"epochs":12,"patience":4,
"learning_rate":0.002,"dropout":0.1,"blanked_rows":0.1,"decay":0.0001,"genuine_at_once":400000}},
"workers":1,"promote":true},"begun":1700000000000000,"code":"93f0a7e55c2f1d08"}"""


@pytest.mark.parametrize("stored", [EARLIER, EARLIER.replace('"budget"', '"no longer known"')])
def test_a_run_of_an_earlier_version_gives_way_to_a_new_one(tmp_path: Path, stored: str) -> None:
    earlier = tmp_path / "0123456789abcdef"
    earlier.mkdir()
    (earlier / "run.json").write_text(stored)
    with (
        pytest.raises(ConflictError, match=r"0123456789abcdef was begun by another.*Train anew"),
        interrupted(tmp_path),
    ):
        pass
    remove(begin(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_run_is_stored_as_earlier_versions_read_it(tmp_path: Path) -> None:
    run = begin(tmp_path)
    stored, known = json.loads((run.folder / "run.json").read_bytes()), json.loads(EARLIER)
    assert list(stored) == list(known)
    assert list(stored["asked"]) == [*known["asked"], "force"]  # which they do not look at


@pytest.mark.parametrize("sources", [runs.SOURCES, default_model.SOURCES])
def test_the_digest_of_the_code_covers_all_that_a_model_depends_on(sources: Sequence[str]) -> None:
    files = source_files(sources)
    for module in (forest, keras_model, trees, fit, frame, stored_frame, train_module):
        assert Path(str(module.__file__)) in files


def test_what_a_dead_process_left_half_made_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".new-left").mkdir()
    (tmp_path / ".old-left").mkdir()
    run = begin(tmp_path)
    assert list(tmp_path.iterdir()) == [run.folder]


def test_too_few_labels_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidInputError, match="labelled fraud"),
        begun(tmp_path, ASKED, synthetic(300)),
    ):
        pass
    assert not list(tmp_path.iterdir())


FULL = """
import resource, signal, sys
from pathlib import Path
from domain.errors import UnavailableError
from operations.training.runs import begun
from tests.builders.training_frames import ASKED, ROWS, synthetic
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    with begun(Path(sys.argv[1]), ASKED, synthetic(ROWS)):
        pass
except UnavailableError as error:
    print(error)
"""


def test_a_frame_that_does_not_fit_on_the_disk_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "cannot write" in done.stdout
    assert "vectors.npy" in done.stdout
    assert "free some space" in done.stdout
    assert not list(tmp_path.iterdir())
