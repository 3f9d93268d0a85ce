"""One machine: the local stack of servers, and the demo."""
