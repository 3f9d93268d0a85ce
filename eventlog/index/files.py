"""FolderFiles: index files in a folder of one process."""

import mmap
import os
import shutil
from pathlib import Path

from eventlog.cache_files import owned
from host.files import write_whole, writing


class FolderFiles:
    """Implements eventlog.index.ports.IndexFiles.

    Raises SettingsError where another process has the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = owned(folder.with_suffix(".lock"), folder)
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def read(self, partition: int) -> memoryview:
        try:
            with self._path(partition).open("rb") as file:
                # It outlives the name of the file, and that it is cut behind what is read.
                return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (FileNotFoundError, ValueError):
            # An empty file cannot be mapped.
            return memoryview(b"")

    def append(self, partition: int, at: int, data: bytes) -> None:
        path = self._path(partition)
        with writing(path):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
            try:
                os.ftruncate(handle, at)
                os.pwrite(handle, data, at)
            finally:
                os.close(handle)

    def replace(self, partition: int, data: bytes) -> None:
        write_whole(self._path(partition), data)

    def discard(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        self._lock.release()

    def _path(self, partition: int) -> Path:
        return self._folder / f"{partition}.ids"


class FilesInRam:
    """Implements eventlog.index.ports.IndexFiles for as long as the process lives."""

    def __init__(self) -> None:
        self.held: dict[int, bytes] = {}

    def read(self, partition: int) -> memoryview:
        return memoryview(self.held.get(partition, b""))

    def append(self, partition: int, at: int, data: bytes) -> None:
        self.held[partition] = self.held.get(partition, b"")[:at] + data

    def replace(self, partition: int, data: bytes) -> None:
        self.held[partition] = data

    def discard(self) -> None:
        self.held.clear()

    def close(self) -> None:
        """Nothing is open."""
