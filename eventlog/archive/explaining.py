"""Owns the words for what goes wrong where the archive's files lie; raises nothing."""

from __future__ import annotations

import errno

_KNOWN = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the disk quota is used up: free some space",
    errno.EACCES: "this user may not: give it the right, or set RETRACE_ARCHIVE_URL",
    errno.EPERM: "this user may not: give it the right, or set RETRACE_ARCHIVE_URL",
    errno.EROFS: "the file system is read-only: set RETRACE_ARCHIVE_URL to another place",
    errno.ENOTDIR: "a file stands where a folder should: move it, or set RETRACE_ARCHIVE_URL",
    errno.EEXIST: "a file stands where a folder should: move it, or set RETRACE_ARCHIVE_URL",
}
_S3 = {
    "NO_SUCH_BUCKET": "the bucket does not exist: create it, or set RETRACE_ARCHIVE_URL",
    "ACCESS_DENIED": "access is denied: check AWS_ACCESS_KEY_ID and the bucket's policy",
    "INVALID_ACCESS_KEY_ID": "the key is unknown: check AWS_ACCESS_KEY_ID",
    "SIGNATURE_DOES_NOT_MATCH": "the secret is wrong: check AWS_SECRET_ACCESS_KEY",
    "NETWORK_CONNECTION": "S3 does not answer: check the network and RETRACE_ARCHIVE_URL",
}


def explained(error: BaseException, doing: str, place: str) -> str:
    """`PLACE cannot DOING: what to do`; nothing is lost, for the log keeps what is not archived."""
    number = getattr(error, "errno", None)
    text = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
    known = _KNOWN.get(number) if number is not None else None
    known = known or next((words for code, words in _S3.items() if code in text), None)
    return f"{place} cannot {doing}: {known or text}"
