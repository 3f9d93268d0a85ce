"""Secret keys: the log names those that it is written with, and processes with others stop."""

from dataclasses import replace

import pytest

from commands.policy.keys import SecretKey, accept_keys, name_keys, named_keys, refuse_other_keys
from domain.errors import SettingsError
from domain.events import Envelope
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import Topic

TOKEN = SecretKey("token", b"k" * 32, "RETRACE_TOKEN_KEY", "/a/secrets/token.key")
DIGEST = SecretKey("digest", b"d" * 32, "RETRACE_DIGEST_KEY", "/a/secrets/digest.key")
OTHER = replace(TOKEN, key=b"o" * 32)


def test_a_log_that_names_no_key_takes_those_of_the_first_start_and_refuses_others() -> None:
    log = InMemoryEventLog()
    refuse_other_keys(log, [OTHER])
    name_keys(log, [TOKEN], 1)
    name_keys(log, [TOKEN], 2)
    assert named_keys(log) == {"token": TOKEN.fingerprint}
    for start in (lambda: refuse_other_keys(log, [OTHER]), lambda: name_keys(log, [OTHER], 3)):
        with pytest.raises(SettingsError, match=r"RETRACE_TOKEN_KEY.*/a/secrets/token\.key"):
            start()
    assert TOKEN.key.hex() not in TOKEN.fingerprint


def test_a_key_that_came_later_is_named_beside_the_others() -> None:
    log = InMemoryEventLog()
    name_keys(log, [TOKEN], 1)
    name_keys(log, [TOKEN, DIGEST], 2)
    assert named_keys(log) == {"token": TOKEN.fingerprint, "digest": DIGEST.fingerprint}


def test_of_two_first_starts_at_once_the_first_in_the_log_binds() -> None:
    log = InMemoryEventLog()

    class Late(InMemoryEventLog):
        """The other host's fact lands between this one's look and its own."""

        def append_nowait(self, topic: Topic, key: str | None, envelope: Envelope) -> None:
            name_keys(log, [TOKEN], 1)
            log.append_nowait(topic, key, envelope)

        read, flush = log.read, log.flush

    with pytest.raises(SettingsError, match="RETRACE_TOKEN_KEY"):
        name_keys(Late(), [OTHER], 1)
    refuse_other_keys(log, [TOKEN])


def test_a_person_can_go_on_with_another_key() -> None:
    log = InMemoryEventLog()
    name_keys(log, [TOKEN, DIGEST], 1)
    accept_keys(log, [OTHER], 2)
    refuse_other_keys(log, [OTHER, DIGEST])
    with pytest.raises(SettingsError):
        refuse_other_keys(log, [TOKEN])
