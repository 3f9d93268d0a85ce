"""Owns the choice of ports on loopback; what listens on them is the services' affair."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

import psutil

from host.state_folder import StateFolder, read_json, write_json

# Below the range from which kernels take the ports of outgoing connections: a port that is ours
# stays free while our server restarts.
_FIRST, _LAST = 20_000, 31_999


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # Connections in TIME_WAIT do not hold a port, listeners do.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """That many different ones; nothing keeps them."""
    chosen: set[int] = set()
    while len(chosen) < count:
        port = random.SystemRandom().randint(_FIRST, _LAST)
        if is_free(port):
            chosen.add(port)
    return sorted(chosen)


def kept_ports(folder: StateFolder, names: Iterable[str]) -> dict[str, int]:
    """A port per name: the one used before where it is still free, otherwise a new one."""
    before = read_json(folder.ports)
    chosen: dict[str, int] = {}
    for name in names:
        port = int(before.get(name, 0))
        while not port or port in chosen.values() or not is_free(port):
            port = random.SystemRandom().randint(_FIRST, _LAST)
        chosen[name] = port
    write_json(folder.ports, {**before, **chosen})
    return chosen


def holder_of(port: int) -> str:
    """Who listens on a port, in words: "pid 12 (python -m http.server)"."""
    try:
        for process in psutil.process_iter():
            try:
                if _listens(process, port):
                    return f"pid {process.pid} ({' '.join(process.cmdline()) or process.name()})"
            except psutil.Error:
                continue
    except OSError:
        pass
    return "a process of another user"


def _listens(process: psutil.Process, port: int) -> bool:
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in process.net_connections(kind="inet")
    )
