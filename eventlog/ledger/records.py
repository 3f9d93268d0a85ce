"""Records of a tail as events: what cannot be read is skipped, and logged."""

import logging

from domain.errors import RetraceError
from domain.events import Envelope
from eventlog.codec import decode
from eventlog.port import Recorded

logger = logging.getLogger(__name__)


def readable(recorded: Recorded) -> Envelope | None:
    try:
        return decode(recorded.value)
    except RetraceError as error:
        logger.warning("%s cannot be read and is skipped: %s", recorded.position, error)
        return None
