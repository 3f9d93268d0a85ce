"""Ports on loopback: free ones, and who holds one."""

import random
import socket

import psutil

# Kernels take the ports of outgoing connections from a range above this one, so that our port stays
# free while a server restarts.
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
    """That many different free ports, not reserved in any way."""
    chosen: set[int] = set()
    while len(chosen) < count:
        port = random.SystemRandom().randint(_FIRST, _LAST)
        if is_free(port):
            chosen.add(port)
    return sorted(chosen)


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
