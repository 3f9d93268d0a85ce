"""Generated damaged files: what reading them must give, counted without the readers."""
