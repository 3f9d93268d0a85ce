"""Growing of the forest: its rows, its trees, and the trees that are kept meanwhile."""
