"""Owns how the local MongoDB-wire server is run; the server itself is in mongodb_server.py."""

from __future__ import annotations

import sys

from local.stack.probes import mongodb_answers
from local.stack.service import Context


async def prepare(context: Context) -> None:
    context.folder.data("mongodb").mkdir(exist_ok=True)


def command(context: Context) -> list[str]:
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


async def ready(context: Context) -> bool:
    return await mongodb_answers(context.host, context.ports["mongodb"])


def url(context: Context) -> str:
    return f"mongodb://{context.host}:{context.ports['mongodb']}/retrace"
