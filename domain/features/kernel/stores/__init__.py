"""The parts of a state: tiles, values, pairs, places and labels."""
