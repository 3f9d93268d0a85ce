"""`retrace config`: check the settings, print an example of all."""

from typing import Annotated

import typer

_group = typer.Typer(help="Settings: check those that are set, print an example of all.")


def register(app: typer.Typer) -> None:
    app.add_typer(_group, name="config", no_args_is_help=True)


@_group.command()
def example() -> None:
    """Print env.example: every setting with its meaning and default."""
    from runtime.settings import env_example

    typer.echo(env_example(), nl=False)


@_group.command()
def check() -> None:
    """Check the settings, and print the value and the origin of each."""
    from host.state_folder import published
    from local.stack.terminal import without_password
    from runtime.settings import Settings, settings_from_environment

    settings = settings_from_environment()
    local = published(settings.state_dir)
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        origin = "set" if name in settings.model_fields_set else "default"
        if origin == "default" and name in local:
            value, origin = local[name], "local stack"
        shown = without_password(str(value)) or "-"
        typer.echo(f"{field.alias:26} {shown}  ({origin})")


@_group.command()
def keys(
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Go on with the keys of this host: for those of before are lost."
        ),
    ] = False,
) -> None:
    """Compare the secret keys of this host with those that the log is written with."""
    from commands.policy.keys import accept_keys, named_keys
    from host.clock import now_us
    from runtime.composition.intake import keys_of
    from runtime.composition.log import open_log
    from runtime.settings import load_settings

    settings = load_settings()
    own = keys_of(settings)
    with open_log(settings) as log:
        if accept:
            accept_keys(log, own, now_us())
        named = named_keys(log)
    for each in own:
        said = {None: "not named by the log", each.fingerprint: "as the log names it"}
        typer.echo(
            f"{each.setting:26} {each.fingerprint}  ({said.get(named.get(each.name), 'ANOTHER')})"
        )
