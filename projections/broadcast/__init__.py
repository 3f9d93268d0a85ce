"""Topics that every member of a group reads whole, each for its own share of something else."""
