"""One machine: files, processes, ports, keys and the clock."""
