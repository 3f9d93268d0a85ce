"""E-mail: over a real SMTP server, with failures."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial

import httpx
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from commands.alerts.message import Message
from commands.alerts.sending import Answer, Sender
from domain.events import Route
from host.clock import now_us

MESSAGE = Message("k-1", "Payment of 12.50 EUR declined: tür", "high", 0, ["Why."], {"a": "b"})


class Mailbox:
    """`replies` are said first in place of taking the mail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.replies: list[str] = []
        self.refused: set[str] = set()

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.replies:
            reply = self.replies.pop(0)
            if reply == "cut":
                assert server.transport is not None
                server.transport.close()
            return reply
        assert isinstance(envelope.content, bytes)
        made = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(made, EmailMessage)
        self.mails.append(made)
        return "250 OK"


def checked(_: object, __: object, ___: object, ____: object, given: object) -> AuthResult:
    assert isinstance(given, LoginPassword)
    return AuthResult(success=(given.login, given.password) == (b"us", b"pa:ss"), handled=False)


def smtp(box: Mailbox) -> SMTP:
    return SMTP(box, hostname="mail.test", authenticator=checked, auth_require_tls=False)


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, Route]]:
    box = Mailbox()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(partial(smtp, box), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield (
            box,
            Route(
                name="post",
                to="email",
                url=f"smtp://127.0.0.1:{port}",
                sender="retrace@example.com",
                recipients=["a@example.com", "b@example.com"],
            ),
        )


async def send(route: Route, **secrets: str) -> Answer:
    async with httpx.AsyncClient() as client:
        return await Sender(client, secrets, now_us).send(route, MESSAGE)


async def test_a_mail_says_what_happened_under_one_message_id(
    mailbox: tuple[Mailbox, Route],
) -> None:
    box, route = mailbox
    assert await send(route) == Answer(True, "taken by SMTP")
    await send(route)
    first, second = box.mails
    assert first["Subject"] == "[high] Payment of 12.50 EUR declined: tür"
    assert first["To"] == "a@example.com, b@example.com"
    assert first["Message-ID"] == second["Message-ID"]
    assert "Why.\r\na: b" in first.get_content()


async def test_failures_are_told_apart(mailbox: tuple[Mailbox, Route]) -> None:
    box, route = mailbox
    box.replies = ["451 try later", "554 no spam", "cut"]
    assert await send(route) == Answer(False, "answered 451")
    assert await send(route) == Answer(False, "answered 554", refused=True)
    assert not (await send(route)).taken
    assert box.mails == []


async def test_one_address_that_is_refused_is_told_and_all_are_a_failure(
    mailbox: tuple[Mailbox, Route],
) -> None:
    box, route = mailbox
    box.refused = {"b@example.com"}
    assert await send(route) == Answer(True, "taken by SMTP, but not by b@example.com")
    box.refused |= {"a@example.com"}
    assert await send(route) == Answer(False, "no address is taken: [550]", refused=True)


async def test_a_server_that_wants_a_password_gets_it(mailbox: tuple[Mailbox, Route]) -> None:
    box, route = mailbox
    route = replace(route, secret="MAIL")
    assert (await send(route, MAIL="us:pa:ss")).taken
    assert await send(route, MAIL="us:other") == Answer(False, "answered 535")
    assert len(box.mails) == 1


async def test_nobody_listens(mailbox: tuple[Mailbox, Route]) -> None:
    _, route = mailbox
    answer = await send(replace(route, url="smtp://127.0.0.1:1"))
    assert not answer.taken
    assert "refused" in answer.outcome
