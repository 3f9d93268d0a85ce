"""Training of a model from a flat file of transactions, without any server.

    python scripts/retrain_model.py --dataset-path FILE.csv --map card_id=CARD --label FRAUD

Any Python starts it; the script goes on with the Python of the checkout's .venv.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


def main() -> None:
    if Path(sys.prefix).resolve() != VENV.resolve() and (VENV / "bin" / "python").exists():
        python = str(VENV / "bin" / "python")
        os.execv(python, [python, *sys.argv])
    sys.path.insert(0, str(ROOT))
    try:
        from cli.training.retrain import main as retrain
    except ModuleNotFoundError as error:
        sys.exit(f"retrain_model: {error}; `./retrace --help` installs what is needed into .venv")
    retrain()


if __name__ == "__main__":
    main()
