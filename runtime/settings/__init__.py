"""Settings of an installation, composed from the slices that its parts declare."""

from host.checkout import CHECKOUT
from runtime.settings.installation import (
    Settings,
    env_example,
    load_settings,
    settings_from_environment,
    variable_of,
)
from runtime.settings.servers import SERVER_FIELDS

__all__ = [
    "CHECKOUT",
    "SERVER_FIELDS",
    "Settings",
    "env_example",
    "load_settings",
    "settings_from_environment",
    "variable_of",
]
