"""Profile of the hot route: what each step of a decision takes, in the real process under load."""
