"""Input files: which ones, what packs them, how their text is encoded."""
