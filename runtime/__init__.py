"""Runtime: settings, composition of ports and adapters, one module for each process."""
