"""First generation of the online states: of the features activated last, or of the catalogue."""

from commands.policy.feature_sets import activated_features
from domain.features import CATALOGUE
from eventlog.port import EventLog
from operations.progress import Say
from projections.online.generations import Generations


def ensure_generation(generations: Generations, log: EventLog, say: Say) -> None:
    """Makes a generation live where none is; harmless when repeated.

    After the online store was lost it is of the features that were activated last, as long as this
    version can compute them: the log decides, not the catalogue. Raises UnavailableError.
    """
    made = generations.adopt(activated_features(log) or CATALOGUE)
    if made.hash != CATALOGUE.hash:
        say(
            f"features: generation {made.number} serves {made.hash}, {CATALOGUE.hash} is declared; "
            "`retrace features rebuild` builds it"
        )
