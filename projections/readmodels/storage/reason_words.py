"""Words of the reason codes, in a table for SQL users; codes of earlier versions keep theirs."""

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from domain.wording import known_sentences
from projections.readmodels.storage.tables import reason_words


def ensure_reason_words(connection: Connection) -> None:
    """One row per code of this version; a code that was removed keeps its last words."""
    rows = [{"code": code, "words": said} for code, said in sorted(known_sentences().items())]
    statement = insert(reason_words).values(rows)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["code"],
            set_={"words": statement.excluded.words},
            where=reason_words.c.words != statement.excluded.words,
        )
    )
