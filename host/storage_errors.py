"""Error messages of a disk or of S3: what went wrong, and what to do."""

import errno

_KNOWN = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the disk quota is used up: free some space",
    errno.EACCES: "permission denied: give this user the right, or set {setting}",
    errno.EPERM: "permission denied: give this user the right, or set {setting}",
    errno.EROFS: "the file system is read-only: set {setting} to another place",
    errno.ENOTDIR: "a file stands where a folder should: move it, or set {setting}",
    errno.EEXIST: "a file stands where a folder should: move it, or set {setting}",
}
_S3 = {
    "NO_SUCH_BUCKET": "the bucket does not exist: create it, or set {setting}",
    "ACCESS_DENIED": "access is denied: check AWS_ACCESS_KEY_ID and the bucket's policy",
    "INVALID_ACCESS_KEY_ID": "the key is unknown: check AWS_ACCESS_KEY_ID",
    "SIGNATURE_DOES_NOT_MATCH": "the secret is wrong: check AWS_SECRET_ACCESS_KEY",
    "NETWORK_CONNECTION": "S3 does not answer: check the network and {setting}",
}


def explained(
    error: BaseException, doing: str, place: str, setting: str = "RETRACE_ARCHIVE_URL"
) -> str:
    """`PLACE cannot DOING: what to do`; `setting` is the variable that says where the place is."""
    number = getattr(error, "errno", None)
    text = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
    known = _KNOWN.get(number) if number is not None else None
    known = known or next((words for code, words in _S3.items() if code in text), None)
    told = known.format(setting=setting) if known else text
    return f"{place} cannot {doing}: {told}"
