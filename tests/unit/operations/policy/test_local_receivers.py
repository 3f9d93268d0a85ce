"""Local receivers, for people: their routes can be published, and name the secrets."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import get_args

from commands.alerts.routing import KINDS
from commands.intake.tokens import Tokeniser
from commands.policy.adapters.cel import CelLanguage
from domain.cleaning.list_keys import list_keys
from domain.events import RouteKind
from domain.rule_values import TYPES
from operations.policy.publishing import lint
from tests.receivers import Shown, routes_of, secrets_of


def test_the_routes_of_local_receivers_have_no_faults(tmp_path: Path) -> None:
    with ExitStack() as stack:
        receivers = [Shown(kind) for kind in get_args(RouteKind) if kind != "email"]
        for each in receivers:
            stack.callback(each.stop)
        (tmp_path / "routes.yaml").write_text(routes_of(receivers, 2525))
        secrets = dict(line.split("=", 1) for line in secrets_of(receivers).splitlines())
    found = lint(tmp_path, CelLanguage(TYPES), partial(list_keys, tokenise=Tokeniser(bytes(16))))
    assert found.faults == []
    assert {each.route.to for each in found.routes} == set(KINDS)
    named = {f"RETRACE_SECRET_{each.route.secret}" for each in found.routes if each.route.secret}
    assert named == set(secrets)
