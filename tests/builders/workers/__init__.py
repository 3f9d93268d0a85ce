"""Workers of the tests: their pieces, a process of them, and the history that they read."""
