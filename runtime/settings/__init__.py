"""The settings of an installation, composed from the slices that its parts declare."""

from runtime.settings.installation import (
    CHECKOUT,
    SERVER_FIELDS,
    Settings,
    env_example,
    load_settings,
    settings_from_environment,
    variable_of,
)

__all__ = [
    "CHECKOUT",
    "SERVER_FIELDS",
    "Settings",
    "env_example",
    "load_settings",
    "settings_from_environment",
    "variable_of",
]
