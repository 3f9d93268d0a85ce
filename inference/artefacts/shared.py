"""Copy of the artefacts that several machines share, in a folder or on S3.

<url>/<model_hash>/model.tflite, forest.npz, and last model.json: an artefact without it is none.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from domain.errors import NotFoundError, SettingsError, UnavailableError
from host.storage_errors import explained

SETTING = "RETRACE_MODELS_URL"


class SharedArtefacts:
    """`url` is a folder, `file:///...`, or `s3://bucket/prefix?endpoint_override=...&region=...`.

    Nothing is asked of it before it is used. All methods raise UnavailableError where it is away.
    """

    def __init__(self, url: str, last: str) -> None:
        """`last` is the file that makes an artefact whole."""
        self.url, self._last = url, last

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        import pyarrow as pa
        from pyarrow import fs

        try:
            if "://" in self.url:
                files, root = fs.FileSystem.from_uri(self.url)
            else:
                files, root = fs.LocalFileSystem(), self.url
        except (ValueError, pa.ArrowInvalid) as error:
            raise SettingsError(f"{SETTING}: {self.url!r} cannot be opened: {error}") from error
        return files, root.rstrip("/")

    def put(self, model_hash: str, contents: Mapping[str, bytes]) -> None:
        """A reader finds all of it or nothing; writing again is harmless."""
        with self._asked("be written", model_hash) as (files, folder):
            if files.type_name == "local":
                files.create_dir(folder, recursive=True)
            for name in sorted(contents, key=self._last.__eq__):
                with files.open_output_stream(f"{folder}/{name}") as stream:
                    stream.write(contents[name])

    def get(self, model_hash: str, names: tuple[str, ...]) -> dict[str, bytes]:
        """Raises NotFoundError where it is not there, or not yet whole."""
        with self._asked("be read", model_hash) as (files, folder):
            contents = {}
            for name in sorted(names, key=self._last.__ne__):
                try:
                    with files.open_input_file(f"{folder}/{name}") as source:
                        contents[name] = source.read()
                except FileNotFoundError:
                    raise NotFoundError("model artefact", model_hash) from None
            return contents

    def hashes(self) -> list[str]:
        """Of what is whole."""
        from pyarrow import fs

        with self._asked("be listed", "") as (files, folder):
            below = fs.FileSelector(folder.rstrip("/"), recursive=True, allow_not_found=True)
            paths = [info.path.split("/") for info in files.get_file_info(below)]
            return sorted(path[-2] for path in paths if path[-1] == self._last)

    @contextmanager
    def _asked(self, doing: str, model_hash: str) -> Iterator[tuple[Any, str]]:
        import pyarrow as pa

        try:
            files, root = self._opened
        except (OSError, pa.ArrowException) as error:
            raise self._away(error, doing, self.url) from error
        folder = f"{root}/{model_hash}"
        try:
            yield files, folder
        except (OSError, pa.ArrowException) as error:
            raise self._away(error, doing, folder) from error

    @staticmethod
    def _away(error: Exception, doing: str, place: str) -> UnavailableError:
        return UnavailableError("shared models", explained(error, doing, place, SETTING))
