"""An installation of Retrace over simulated servers: its hosts, and its real processes."""
