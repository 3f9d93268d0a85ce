"""The command line: commands parse options, call an operation, and show its result."""
