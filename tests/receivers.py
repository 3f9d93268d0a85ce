"""Local receivers of alerts, one of each kind: `python -m tests.receivers FOLDER`.

They hold the published contracts, as in the tests, and print what they take and what they refuse.
FOLDER gets routes.yaml, to publish, and secrets.env, for the hosts that deliver.
"""

import argparse
import json
import signal
import sys
import threading
from contextlib import ExitStack
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, get_args

import yaml  # type: ignore[import-untyped, unused-ignore]
from aiosmtpd.controller import Controller

from domain.events import RouteKind
from tests.builders.alerts.receivers import Receiver


class Shown(Receiver):
    """Prints one line of each message."""

    def answer(self, request: Any, body: bytes) -> None:
        taken, refused = sum(self.keys.values()), len(self.refused)
        super().answer(request, body)
        if sum(self.keys.values()) > taken:
            show(self.kind, f"{request.path} {body.decode()}")
        elif len(self.refused) > refused:
            show(self.kind, f"REFUSED {request.path}: {self.refused[-1]}")


class Mailbox:
    """Takes every mail, as aiosmtpd's handler."""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=default)
        text = mail.get_body(("plain",))
        told = {name: mail[name] for name in ("From", "To", "Subject", "Message-ID")}
        show("email", json.dumps(told | {"text": text.get_content() if text else ""}))
        return "250 Message accepted for delivery"


def show(kind: str, text: str) -> None:
    sys.stdout.write(f"{kind:13} {text}\n")
    sys.stdout.flush()


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.receivers", description=__doc__)
    asked.add_argument("folder", type=Path, help="is made and written to")
    asked.add_argument("--port", type=int, default=9400, help="the first of eight")
    given = asked.parse_args()
    kinds: list[RouteKind] = [kind for kind in get_args(RouteKind) if kind != "email"]
    given.folder.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: ended.set())
    with ExitStack() as stack:
        receivers = [Shown(kind, given.port + number) for number, kind in enumerate(kinds)]
        for receiver in receivers:
            stack.callback(receiver.stop)
        mail = Controller(Mailbox(), hostname="127.0.0.1", port=given.port + len(kinds))
        mail.start()
        stack.callback(mail.stop)
        (given.folder / "routes.yaml").write_text(routes_of(receivers, mail.port))
        (given.folder / "secrets.env").write_text(secrets_of(receivers))
        show("", f"{given.folder}/routes.yaml and secrets.env are written; Ctrl-C ends")
        ended.wait()


def routes_of(receivers: list[Shown], mail_port: int) -> str:
    routes: list[dict[str, Any]] = []
    for each in receivers:
        made = each.route(name=f"local-{each.kind}")
        route = {"name": made.name, "to": made.to, "url": made.url}
        route |= {"secret": _named(each)} if made.secret else {}
        routes.append({name: value for name, value in route.items() if value})
    routes.append(
        {
            "name": "local-email",
            "to": "email",
            "url": f"smtp://127.0.0.1:{mail_port}",
            "from": "retrace@example.com",
            "addresses": ["desk@example.com"],
        }
    )
    text: str = yaml.safe_dump({"routes": routes}, sort_keys=False)
    return text


def secrets_of(receivers: list[Shown]) -> str:
    named = {_named(each): each.secrets["IT"] for each in receivers if each.route().secret}
    return "".join(f"RETRACE_SECRET_{name}={value}\n" for name, value in named.items())


def _named(receiver: Shown) -> str:
    return f"LOCAL_{receiver.kind.upper()}"


if __name__ == "__main__":
    main()
