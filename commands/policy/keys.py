"""Secret keys as the log names them: processes with other keys would split histories unseen."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from commands.policy.topic import append_fact, facts
from domain.errors import SettingsError
from domain.events import KeysNamed
from eventlog.port import EventLog

SOURCE = "retrace/policy"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """`setting` is the variable that gives it, `kept_in` the file that does where that is unset."""

    name: str
    key: bytes
    setting: str
    kept_in: str

    @property
    def fingerprint(self) -> str:
        return hmac.digest(self.key, b"retrace/fingerprint/1", "sha256")[:16].hex()


def named_keys(log: EventLog) -> dict[str, str]:
    """By name of the key the fingerprint that binds. Raises LogUnavailableError."""
    named: dict[str, str] = {}
    for _, fact in facts(log):
        if isinstance(fact.data, KeysNamed):
            first = {} if fact.data.replaced else named
            named |= {**fact.data.fingerprints, **first}
    return named


def refuse_other_keys(log: EventLog, keys: list[SecretKey]) -> Mapping[str, str]:
    """What the log names. Raises SettingsError for a key that is not the one that it names."""
    named = named_keys(log)
    for each in keys:
        if named.get(each.name, each.fingerprint) != each.fingerprint:
            raise SettingsError(
                f"{each.setting}: the {each.name} key is not the one that the log is written with. "
                f"Set it, or {each.kept_in}, to that of the host that began; where that key is "
                "lost for ever, `retrace config keys --accept` goes on with this one"
            )
    return named


def name_keys(log: EventLog, keys: list[SecretKey], known_time: int) -> None:
    """Records the keys that the log does not name yet; of two that do so at once the first binds.

    Raises SettingsError for a key that is not the one that it names, and LogUnavailableError.
    """
    named = refuse_other_keys(log, keys)
    unnamed = {each.name: each.fingerprint for each in keys if each.name not in named}
    if unnamed:
        _append(log, KeysNamed(fingerprints=unnamed), known_time)
        refuse_other_keys(log, keys)


def accept_keys(log: EventLog, keys: list[SecretKey], known_time: int) -> None:
    """From here on these keys bind. Raises LogUnavailableError."""
    fingerprints = {each.name: each.fingerprint for each in keys}
    _append(log, KeysNamed(fingerprints=fingerprints, replaced=True), known_time)


def _append(log: EventLog, fact: KeysNamed, known_time: int) -> None:
    event_id = f"{fact.NAME}/{known_time}/" + "/".join(fact.fingerprints.values())
    append_fact(log, fact, event_id, SOURCE, "keys", known_time)
