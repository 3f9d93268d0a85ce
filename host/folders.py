"""Folders that appear whole: filled under the name of a draft, then moved into place."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_folder(target: Path, prefix: str = ".new-") -> Iterator[Path]:
    """A folder to fill, which becomes `target` once the block has ended well.

    What was there is replaced. The draft lies beside the target; its name begins with a dot, so
    that model servers, which look for folders named by a number, do not see it. Raises OSError; no
    draft is left then.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    try:
        draft.chmod(0o755)
        yield draft
        if target.exists():
            shutil.rmtree(target)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
