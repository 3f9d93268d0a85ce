"""Jars of the Java servers: downloaded by jgo, and compared with the checksums in jgo.lock.toml.

Whoever changes jgo.toml writes the lock again with `python -m local.stack.servers.jars`. Users
download exactly the files that it names.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import IntegrityError
from local.stack.errors import StackError

if TYPE_CHECKING:
    from jgo.maven import MavenContext

_DECLARED = Path(__file__).parent / "jars" / "jgo.toml"
_LOCKED = Path(__file__).parent / "jars" / "jgo.lock.toml"
_AT_ONCE = 6
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Jar:
    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def filename(self) -> str:
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{classifier}.jar"


def locked(path: Path = _LOCKED) -> list[Jar]:
    from jgo.env import LockFile

    return [
        Jar(each.groupId, each.artifactId, each.version, each.classifier or "", each.sha256)
        for each in LockFile.load(path).dependencies
    ]


def ensure(cache_dir: Path, progress: Progress) -> Path:
    """The folder with every locked jar, complete and checked. `progress` gets (done, of).

    Raises IntegrityError for a file with another checksum, after removing it, and StackError if a
    file cannot be downloaded. Files downloaded before a failure are kept.
    """
    folder = cache_dir / "jars"
    jars = locked()
    missing = [jar for jar in jars if not _present(folder / jar.filename, jar)]
    progress(len(jars) - len(missing), len(jars))
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        _fetch_all(missing, folder, lambda done: progress(len(jars) - len(missing) + done,
                                                          len(jars)))  # fmt: skip
    return _only(folder, jars)


def _only(folder: Path, jars: list[Jar]) -> Path:
    # Java loads every jar of the folder: jars of an older lock must go.
    for stray in set(folder.glob("*.jar")) - {folder / jar.filename for jar in jars}:
        stray.unlink()
    return folder


def _present(path: Path, jar: Jar) -> bool:
    if not path.exists():
        return False
    _check(path, jar)
    return True


def _check(path: Path, jar: Jar) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        path.unlink()
        raise IntegrityError(
            f"{path} is incomplete or altered: its SHA-256 is {found}, expected {jar.sha256}. "
            "It has been removed; run the same command again to download it."
        )


def _fetch_all(missing: list[Jar], folder: Path, done: Callable[[int], None]) -> None:
    draft = Path(tempfile.mkdtemp(prefix="download-", dir=folder.parent))
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        context = _repository(draft)
        waiting = [pool.submit(_fetch, context, jar, folder) for jar in missing]
        for count, finished in enumerate(as_completed(waiting), start=1):
            finished.result()
            done(count)
    finally:
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(draft, ignore_errors=True)


def _repository(cache: Path) -> MavenContext:
    from jgo.maven import MavenContext

    return MavenContext(repo_cache=cache, timeout=60)


def _fetch(context: MavenContext, jar: Jar, folder: Path) -> None:
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        path = artifact.artifact(classifier=jar.classifier).resolve()
    except Exception as error:
        raise StackError(
            f"{jar.filename} could not be downloaded ({type(error).__name__}: {error}). "
            "Check the network and run the same command again; finished downloads are kept."
        ) from error
    _check(path, jar)
    os.replace(path, folder / jar.filename)


def relock() -> None:
    """Resolve jgo.toml and write jgo.lock.toml."""
    from jgo.env import EnvironmentSpec, LockFile

    with tempfile.TemporaryDirectory() as cache:
        context = _repository(Path(cache))
        spec = EnvironmentSpec.load(_DECLARED)
        asked = [context.create_dependency(each) for each in spec.coordinates]
        direct, further = context.resolver.resolve(asked)
        needed = [each for each in further if each.scope in ("compile", "runtime")]
        needed.sort(key=lambda each: (each.groupId, each.artifactId))
        lock = LockFile.from_resolved_dependencies([*direct, *needed], environment_name=spec.name)
        lock.save(_LOCKED)


if __name__ == "__main__":
    relock()
