"""Policy, as the log has it: what decides now, shadows, activated features."""
