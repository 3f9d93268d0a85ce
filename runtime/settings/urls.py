"""URLs of servers in the forms that their clients take."""

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

DATABASE_SCHEME = "postgresql+psycopg://"


def redis_connection(url: str) -> str:
    """Feast's spelling of a Redis URL: host:port[,db=n][,password=…][,ssl=true]."""
    if not url:
        return ""
    parts = urlsplit(url)
    options = [f"{parts.hostname}:{parts.port or 6379}"]
    if (database := parts.path.strip("/")) not in ("", "0"):
        options.append(f"db={database}")
    if parts.username:
        options.append(f"username={unquote(parts.username)}")
    if parts.password:
        options.append(f"password={unquote(parts.password)}")
    if parts.scheme == "rediss":
        options.append("ssl=true")
    return ",".join(options)


def postgres_parts(url: str) -> dict[str, str]:
    """The pieces of a database URL under the names that feature_store.yaml expands."""
    if not url:
        return {}
    parts = urlsplit(url)
    return {
        "POSTGRES_HOST": parts.hostname or "localhost",
        "POSTGRES_PORT": str(parts.port or 5432),
        "POSTGRES_DB": unquote(parts.path.lstrip("/")),
        "POSTGRES_USER": unquote(parts.username or ""),
        "POSTGRES_PASSWORD": unquote(parts.password or ""),
    }


def with_driver(url: str) -> str:
    """Any PostgreSQL URL in the form that SQLAlchemy takes for psycopg."""
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return DATABASE_SCHEME + url.removeprefix(plain)
    return url


def starting_with(schemes: Sequence[str], url: str) -> str:
    """The URL without trailing slash; it may be empty. Raises ValueError for another scheme."""
    if url and not url.startswith(tuple(schemes)):
        raise ValueError(f"expected a URL that starts with {' or '.join(schemes)}")
    return url.rstrip("/")
