"""The local stack: real servers, our API and workers, as supervised child processes."""
