"""The `retrace` command: all its subcommands, and how errors are shown.

Commands import heavy modules inside their functions, so that `--help` is fast.
"""

import signal
import sys
from types import FrameType

import typer

from cli import archive, config, demo, replay, testing
from cli import dead_letters as deadletters
from cli.alerts import commands as alerts
from cli.backtest import command as backtest
from cli.bench import commands as bench
from cli.cases import commands as cases
from cli.events import commands as events
from cli.explain.command import explain
from cli.faults.chaos import chaos
from cli.faults.simulate_faults import simulate_faults
from cli.features import commands as features
from cli.ingest import command as ingest
from cli.models import commands as models
from cli.policy import commands as policy
from cli.simulate import simulate
from cli.stack import commands as stack
from cli.training import train, train_job, train_worker
from cli.transactions import commands as transactions
from domain.errors import RetraceError

app = typer.Typer(
    name="retrace",
    help="Event-sourced, real-time fraud detection that can replay any stretch of history.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

stack.register(app)
config.register(app)
events.register(app)
deadletters.register(app)
archive.register(app)
alerts.register(app)
backtest.register(app)
bench.register(app)
cases.register(app)
features.register(app)
ingest.register(app)
models.register(app)
policy.register(app)
replay.register(app)
transactions.register(app)
app.command()(demo.demo)
app.command()(simulate)
app.command("simulate-faults")(simulate_faults)
app.command()(chaos)
app.command()(train.train)
app.command()(train_worker.train_worker)
app.command()(train_job.train_job)
app.command()(explain)
app.command("test")(testing.run_checks)


def main() -> None:
    # These signals clean up as Ctrl-C does.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    try:
        app(prog_name="retrace", standalone_mode=True)
    except RetraceError as error:
        print(f"retrace: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
