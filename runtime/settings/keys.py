"""Settings of the secret keys: card tokens, content digests, dead letters."""

import hashlib

from pydantic import Field, SecretStr, field_validator

from host import secret_keys
from runtime.settings.folders import FolderSettings


class KeySettings(FolderSettings):
    """A key that is not set is made once and kept in the state folder."""

    token_secret: SecretStr = Field(default=SecretStr(""), alias="RETRACE_TOKEN_KEY")
    """Key of card tokens, 16 characters or more; made once when unset."""
    digest_secret: SecretStr = Field(default=SecretStr(""), alias="RETRACE_DIGEST_KEY")
    """Key of content digests, 16 characters or more; made once when unset."""
    dead_letter_secret: SecretStr = Field(default=SecretStr(""), alias="RETRACE_DEAD_LETTER_KEY")
    """Key that seals dead-lettered records, 16 characters or more; made once."""

    @field_validator("token_secret", "digest_secret", "dead_letter_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 16:
            raise ValueError("expected 16 characters or more")
        return value

    @property
    def token_key(self) -> bytes:
        return self._key("token", self.token_secret)

    @property
    def digest_key(self) -> bytes:
        return self._key("digest", self.digest_secret)

    @property
    def dead_letter_key(self) -> bytes:
        return self._key("dead-letter", self.dead_letter_secret)

    def _key(self, name: str, given: SecretStr) -> bytes:
        text = given.get_secret_value() or secret_keys.read_or_create(self.state_dir, name)
        # Every user of a key takes 32 bytes, whatever the length of what was given.
        return hashlib.sha256(text.encode()).digest()
