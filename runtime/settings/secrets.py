"""Secrets of alert routes: variables RETRACE_SECRET_ and a name, by that name.

A route names its secret, so the variables cannot be declared one by one. Nothing else that is set
can be named: a policy reaches no other key of the installation.
"""

import os

from dotenv import dotenv_values

from host.checkout import CHECKOUT

PREFIX = "RETRACE_SECRET_"
OWN_SECRET = "WEBHOOK"
"""Signs what goes to RETRACE_WEBHOOK_URL."""


def alert_secrets() -> dict[str, str]:
    """By name; a variable of the environment wins over the .env file of the checkout."""
    given = {**dotenv_values(CHECKOUT / ".env"), **os.environ}
    return {
        name.removeprefix(PREFIX): value
        for name, value in given.items()
        if name.startswith(PREFIX) and value
    }
