"""The policy that decides, as the log has it."""
