"""Closed loop: a policy's own decisions feed back into the features of what follows."""
