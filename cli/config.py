"""`retrace config`: check the settings, print an example of all."""

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
