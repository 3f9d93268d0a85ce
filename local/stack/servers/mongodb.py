"""Local MongoDB-wire server: its command. The server itself is in mongodb_server.py."""

import sys

from local.stack.probes import mongodb_answers
from local.stack.service import StackContext


async def prepare(context: StackContext) -> None:
    context.folder.data("mongodb").mkdir(exist_ok=True)


def command(context: StackContext) -> list[str]:
    return [
        sys.executable,
        "-m",
        "local.stack.servers.mongodb_server",
        "--jars",
        str(context.jars),
        "--file",
        str(context.folder.data("mongodb") / "data.mv"),
        "--port",
        str(context.ports["mongodb"]),
    ]


async def ready(context: StackContext) -> bool:
    return await mongodb_answers(context.host, context.ports["mongodb"])


def url(context: StackContext) -> str:
    return f"mongodb://{context.host}:{context.ports['mongodb']}/retrace"
