"""Sending of one message to one receiver, once: over HTTP or SMTP, with what came of it."""

import asyncio
import smtplib
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from urllib.parse import urlsplit

import httpx

from commands.alerts.channels import JIRA, OPSGENIE, PAGERDUTY, post_of
from commands.alerts.message import Message
from domain.events import Route
from domain.times import SECOND, from_datetime, to_datetime

SECONDS = 10.0
"""For each step of an exchange; three times as much for all of it."""
PREFIX = "RETRACE_SECRET_"
_LONGEST_WAIT = 3600.0
_MOST_TEXT = 200
# About this message, and not about its receiver.
_REFUSALS = (400, 413, 422)
_URLS = {"pagerduty": PAGERDUTY, "opsgenie": OPSGENIE, "jira": JIRA}


@dataclass(frozen=True, slots=True)
class Answer:
    """`outcome` is for people, and holds no secret. The receiver asks for a `wait`, in seconds.

    `refused` is the message, where the receiver may well take others.
    """

    taken: bool
    outcome: str
    wait: float | None = None
    refused: bool = False


class Sender:
    """`secrets` by name. `clock` gives microseconds UTC."""

    def __init__(
        self, client: httpx.AsyncClient, secrets: Mapping[str, str], clock: Callable[[], int]
    ) -> None:
        self._client, self._secrets, self._clock = client, secrets, clock

    async def send(self, route: Route, message: Message) -> Answer:
        """Never raises, but when it is cancelled."""
        secret = self._secrets.get(route.secret, "") if route.secret else ""
        if route.secret and not secret:
            return Answer(False, f"{PREFIX}{route.secret} is not set")
        try:
            async with asyncio.timeout(3 * SECONDS):
                if route.to == "email":
                    return await asyncio.to_thread(_mail, route, message, secret, self._clock())
                return await self._post(route, message, secret)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            told = str(error) or type(error).__name__
            for each in secret.split() if secret else ():
                told = told.replace(each, "***")
            return Answer(False, told[:_MOST_TEXT])

    async def _post(self, route: Route, message: Message, secret: str) -> Answer:
        post = post_of(route, message, secret, self._clock())
        response = await self._client.post(post.url, content=post.body, headers=post.headers)
        status = response.status_code
        outcome = f"answered {status}"
        if response.is_success:
            return Answer(True, outcome)
        wait = self._asked_for(response.headers.get("Retry-After", ""))
        return Answer(False, outcome, wait, refused=status in _REFUSALS)

    def _asked_for(self, given: str) -> float | None:
        """Retry-After: seconds, or a date (RFC 9110, 10.2.3)."""
        if given.isdecimal():
            return min(float(given), _LONGEST_WAIT)
        with suppress(ValueError, TypeError):
            until = from_datetime(parsedate_to_datetime(given))
            return min(max(0.0, (until - self._clock()) / SECOND), _LONGEST_WAIT)
        return None


def receiver_of(route: Route) -> str:
    """Its host, which is no secret; the kind where the whole URL is one."""
    url = route.url or _URLS.get(route.to, "")
    return urlsplit(url).hostname or route.to


def _mail(route: Route, message: Message, secret: str, now: int) -> Answer:
    """Blocking. Raises OSError (smtplib's errors are) or ValueError."""
    parts = urlsplit(route.url)
    host, safe = parts.hostname or "", parts.scheme == "smtps"
    context = ssl.create_default_context()
    try:
        with (
            smtplib.SMTP_SSL(host, parts.port or 465, timeout=SECONDS, context=context)
            if safe
            else smtplib.SMTP(host, parts.port or 587, timeout=SECONDS)
        ) as server:
            server.ehlo_or_helo_if_needed()
            if not safe and server.has_extn("starttls"):
                server.starttls(context=context)
                safe = True
            if secret:
                if not safe and host not in ("127.0.0.1", "::1", "localhost"):
                    return Answer(False, "offers no TLS, and the password is not sent without")
                user, _, password = secret.partition(":")
                server.login(user, password)
            refused = server.send_message(_email(route, message, to_datetime(now)))
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        return Answer(False, f"no address is taken: {codes}", refused=min(codes) >= 500)
    except smtplib.SMTPResponseException as error:
        return Answer(False, f"answered {error.smtp_code}", refused=error.smtp_code in (552, 554))
    # The others have it: to send it again would be to send it to them twice.
    told = f", but not by {', '.join(sorted(refused))}" if refused else ""
    return Answer(True, f"taken by SMTP{told}"[:_MOST_TEXT])


def _email(route: Route, message: Message, now: datetime) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = f"[{message.severity}] {message.title}"[:_MOST_TEXT]
    mail["From"], mail["To"] = route.sender, ", ".join(route.recipients)
    mail["Date"] = format_datetime(now)
    # Equal for every attempt: many mailboxes show one of two.
    mail["Message-ID"] = f"<{sha256(message.key.encode()).hexdigest()[:32]}@retrace.invalid>"
    mail.set_content(f"{message.title}\n\n{message.text}\n")
    return mail
