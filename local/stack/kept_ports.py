"""Ports of the servers, kept in the state folder from one start to the next."""

from collections.abc import Iterable

from host.ports import free_ports, is_free
from host.state_folder import StateFolder, read_json, write_json


def kept_ports(folder: StateFolder, names: Iterable[str], taken: int) -> dict[str, int]:
    """A port per name: the one used before if it is still free, otherwise a new one; never `taken`,
    which is the API's and is bound later."""
    before = read_json(folder.ports)
    chosen: dict[str, int] = {}
    for name in names:
        port = int(before.get(name, 0))
        while not port or port in {taken, *chosen.values()} or not is_free(port):
            (port,) = free_ports(1)
        chosen[name] = port
    write_json(folder.ports, {**before, **chosen})
    return chosen
