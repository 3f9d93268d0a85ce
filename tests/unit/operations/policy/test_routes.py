"""Routes from files to the log: faults with their place, versions, and what stays as it was."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from commands.intake.tokens import Tokeniser
from commands.policy.adapters.cel import CelLanguage
from commands.policy.topic import current_policy
from domain.cleaning.list_keys import list_keys
from domain.errors import InvalidInputError
from domain.events import Route
from domain.rule_values import TYPES
from eventlog.in_memory import InMemoryEventLog
from operations.policy.publishing import RulePublisher, lint

LANGUAGE = CelLanguage(TYPES)
CLEAN = partial(list_keys, tokenise=Tokeniser(bytes(16)))
ROUTES = """\
routes:
  - name: pager
    to: pagerduty
    secret: PAGER
    severity: high
    merchants: [m-1, m-2]
    base_amount_minor: 50000
    days: [mon, tue]
    hours: "22:00-06:00"
    zone: Europe/Berlin
    at_most: 5
    overdue: true
    replies: PAGER_REPLIES
  - name: post
    to: email
    url: smtp://mail.example:587
    from: retrace@example.com
    addresses: [desk@example.com]
"""


@pytest.fixture
def publisher() -> Iterator[RulePublisher]:
    with closing(InMemoryEventLog()) as log:
        yield RulePublisher(log, LANGUAGE, CLEAN, "ann")


def write(folder: Path, text: str) -> Path:
    (folder / "routes.yaml").write_text(text)
    return folder


def test_routes_are_read_with_all_their_fields(tmp_path: Path) -> None:
    found = lint(write(tmp_path, ROUTES), LANGUAGE, CLEAN)
    assert found.faults == []
    assert [each.route for each in found.routes] == [
        Route(
            name="pager", to="pagerduty", secret="PAGER", severity="high", merchants=["m-1", "m-2"],
            amount=50_000, days=["mon", "tue"], hours="22:00-06:00", zone="Europe/Berlin",
            at_most=5, replies="PAGER_REPLIES", overdue=True,
        ),
        Route(
            name="post", to="email", url="smtp://mail.example:587", sender="retrace@example.com",
            recipients=["desk@example.com"],
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("to: pagerduty", "to: pager", "routes.yaml:3:9: to expected one of pagerduty"),
        ("secret: PAGER", "secret: p-4711", "routes.yaml:4:13: secret pagerduty needs"),
        ("    secret: PAGER\n", "", "routes.yaml:2:5: secret pagerduty needs"),
        ("severity: high", "severity: huge", "routes.yaml:5:15: severity expected one of low"),
        ("[m-1, m-2]", "m-1", "routes.yaml:6:16: expected a list for merchants"),
        ("50000", "500.00", "routes.yaml:7:24: expected a whole number"),
        ("tue]", "tues]", "routes.yaml:8:11: days expected some of"),
        ("22:00-06:00", "22-6", "routes.yaml:9:13: hours expected such as"),
        ("Europe/Berlin", "Berlin", "routes.yaml:10:11: zone is no time zone"),
        ("overdue: true", "overdue: soon", "routes.yaml:12:14: expected true or false"),
        ("PAGER_REPLIES", "p-4711", "routes.yaml:13:14: replies needs the NAME"),
        ("at_most: 5", "at_least: 5", "routes.yaml:11:5: at_least is none of"),
        ("    to: email\n", "", "routes.yaml:14:5: the route has no to"),
        ("name: post", "name: pager", "routes.yaml:14:11: another route is called so"),
        ("smtp://", "http://", "routes.yaml:16:10: url expected smtp://"),
        ("    from: retrace@example.com\n", "", "routes.yaml:14:5: from and addresses"),
    ],
)
def test_a_fault_is_named_with_file_line_and_column(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    found = lint(write(tmp_path, ROUTES.replace(before, after, 1)), LANGUAGE, CLEAN)
    faults = [str(each).removeprefix(f"{tmp_path}/") for each in found.faults]
    assert any(each.startswith(said) for each in faults), faults


def test_published_routes_are_in_force_and_an_earlier_set_comes_back(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    write(tmp_path, ROUTES)
    assert [(each.kind, each.name) for each in publisher.diff(tmp_path)] == [
        ("added", "pager"),
        ("added", "post"),
    ]
    assert publisher.publish(tmp_path, "first") == ["routes"]
    first = current_policy(publisher.log)
    assert publisher.publish(tmp_path, "again") == []
    write(tmp_path, ROUTES.replace("at_most: 5", "at_most: 7"))
    (change,) = publisher.diff(tmp_path)
    assert (change.name, change.fields) == ("pager", {"at_most": (5, 7)})
    assert publisher.publish(tmp_path, "second") == ["routes"]
    assert publisher.take_back(0, "too many") == ["routes"]
    assert current_policy(publisher.log).routes == first.routes
    assert [each.fact.took_back for each in publisher.routes_history()] == [None, None, 0]
    hashes = [each.fact.routes_hash for each in publisher.routes_history()]
    assert hashes[0] == hashes[2] != hashes[1]


def test_a_route_that_stays_goes_on_and_a_new_one_begins_now(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    one, other = ROUTES.split("  - name: post")
    publisher.publish(write(tmp_path, one), "")
    publisher.publish(write(tmp_path, f"{one}  - name: post{other}"), "")
    first, second = publisher.routes_history()
    pager, post = second.fact.routes
    assert pager.since == first.known_time == first.fact.routes[0].since
    assert post.since == second.known_time > pager.since


def test_what_no_file_speaks_of_stays_and_an_empty_list_withdraws(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    publisher.publish(write(tmp_path, ROUTES), "")
    publisher.publish(write(tmp_path, "rules: []\n"), "")
    assert len(current_policy(publisher.log).routes) == 2
    assert publisher.publish(write(tmp_path, "routes: []\n"), "") == ["routes"]
    assert current_policy(publisher.log).routes == ()


def test_a_wrong_route_keeps_the_whole_folder_out_of_the_log(
    tmp_path: Path, publisher: RulePublisher
) -> None:
    write(tmp_path, ROUTES.replace("PAGER", "whsec_x"))
    with pytest.raises(InvalidInputError, match=r"routes\.yaml:4:13: "):
        publisher.publish(tmp_path, "")
    assert current_policy(publisher.log).version == -1
