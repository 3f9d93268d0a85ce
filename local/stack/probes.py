"""Probes: does a server answer? Each returns False instead of raising."""

import asyncio
import struct

_TIMEOUT = 2.0


async def kafka_answers(host: str, port: int) -> bool:
    """ApiVersions, the request that every client sends first."""
    request = struct.pack(">hhih", 18, 0, 1, -1)
    reply = await _ask(host, port, struct.pack(">i", len(request)) + request)
    return len(reply) >= 10 and reply[8:10] == b"\0\0"


async def redis_answers(host: str, port: int) -> bool:
    """PING; a server that still loads its file answers with an error."""
    return (await redis_said(host, port, "PING")).startswith(b"+PONG")


async def redis_said(host: str, port: int, command: str) -> bytes:
    """The beginning of the answer to a command of one word; empty where there is none."""
    return await _ask(host, port, f"*1\r\n${len(command)}\r\n{command}\r\n".encode())


async def mongodb_answers(host: str, port: int) -> bool:
    """{ping: 1, $db: "admin"} as OP_MSG."""
    elements = b"\x10ping\0" + struct.pack("<i", 1) + b"\x02$db\0" + struct.pack("<i", 6)
    document = elements + b"admin\0" + b"\0"
    body = b"\0\0\0\0\0" + struct.pack("<i", len(document) + 4) + document
    header = struct.pack("<iiii", len(body) + 16, 1, 0, 2013)
    return b"ok\0" in await _ask(host, port, header + body)


async def http_answers(host: str, port: int, path: str) -> bool:
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    return (await _ask(host, port, request.encode())).split(b" ")[1:2] == [b"200"]


async def _ask(host: str, port: int, request: bytes) -> bytes:
    try:
        async with asyncio.timeout(_TIMEOUT):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request)
                await writer.drain()
                return await reader.read(4096)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""
