"""The user that PostgreSQL runs as when we are root, and the folder of that user's files.

That user may have no access to the state folder (below /root, for example). The data is then in a
folder below /var/tmp, whose path is written in the state folder.
"""

import functools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from host.folders import whole_folder
from host.state_folder import StateFolder
from local.stack.errors import StackError

_CANDIDATES = ("postgres", "nobody", "daemon")


def account(folder: StateFolder) -> tuple[int, int]:
    """(user id, group id): the owner of the data, or else the first candidate that exists."""
    home = _recorded(folder)
    if home and home.stat().st_uid != 0:
        return home.stat().st_uid, home.stat().st_gid
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise StackError(
        "PostgreSQL refuses to run as root, and none of these users exists: "
        f"{', '.join(_CANDIDATES)}. Run Retrace as a plain user, or set DATABASE_URL."
    )


def home(folder: StateFolder, owner: tuple[int, int] | None) -> Path:
    """The folder of PostgreSQL's data, mode 0700, created on first use."""
    found = _recorded(folder)
    if found:
        return found
    if owner is None or _may_enter(folder.root, owner):
        made = folder.data("postgres")
        made.mkdir(mode=0o700)
    else:
        made = Path(tempfile.mkdtemp(prefix="retrace-postgres-", dir="/var/tmp"))
    give(made, owner)
    if made != folder.data("postgres"):
        _location(folder).write_text(str(made))
    return made


def reachable(package: Path, folder: StateFolder, owner: tuple[int, int] | None) -> Path:
    """The installed package, or a copy if the owner has no access to its folder."""
    if owner is None or _may_enter(package, owner):
        return package
    base = home(folder, owner) / "software"
    copy = base / package.name
    if not copy.exists():
        with whole_folder(base) as draft:
            # The binaries look for their libraries beside the package.
            for source in (package, package.with_name(f"{package.name}.libs")):
                if source.exists():
                    shutil.copytree(source, draft / source.name, symlinks=True)
            give(draft, owner)
    return copy


def give(path: Path, owner: tuple[int, int] | None) -> None:
    if owner is not None:
        os.chown(path, *owner)


def _location(folder: StateFolder) -> Path:
    return folder.root / "postgres.location"


def _recorded(folder: StateFolder) -> Path | None:
    if _location(folder).exists():
        elsewhere = Path(_location(folder).read_text().strip())
        if not elsewhere.is_dir():
            raise StackError(
                f"PostgreSQL's data was in {elsewhere}, which is gone. To start with an empty "
                f"stack, remove {folder.root}."
            )
        return elsewhere
    made = folder.data("postgres")
    return made if made.is_dir() else None


@functools.cache
def _may_enter(path: Path, owner: tuple[int, int]) -> bool:
    tried = subprocess.run(
        ["test", "-x", str(path)], user=owner[0], group=owner[1], extra_groups=[], check=False,
        cwd="/",
    )  # fmt: skip
    return tried.returncode == 0
