"""Base of every settings slice, with the .env file of the checkout."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from host.checkout import CHECKOUT


class Slice(BaseSettings):
    """Settings of one part of the installation; a variable that is set wins over .env.

    Slices are joined by inheritance: two validators of one name would replace each other.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        env_file=CHECKOUT / ".env",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )
