"""Options of commands, and their message after an interruption."""

import pytest

from cli.interrupts import interruptible
from cli.models.lifecycle import basis_points
from domain.errors import InvalidInputError


@pytest.mark.parametrize(
    ("said", "points"), [("5%", 500), ("0.01%", 1), ("12.5 %", 1_250), ("100", 10_000)]
)
def test_a_share_is_said_in_percent(said: str, points: int) -> None:
    assert basis_points(said) == points


@pytest.mark.parametrize("said", ["", "0%", "-1%", "100.01%", "0.005%", "half", "nan", "Infinity"])
def test_what_is_no_share_is_refused(said: str) -> None:
    with pytest.raises(InvalidInputError, match="--share"):
        basis_points(said)


def test_every_interruption_says_how_to_continue(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), interruptible("`again`"):
        raise SystemError("in the middle of a call") from KeyboardInterrupt()
    assert capsys.readouterr().err == "interrupted; `again` continues this run\n"
    with pytest.raises(SystemError, match="another"), interruptible("`again`"):
        raise SystemError("another")
