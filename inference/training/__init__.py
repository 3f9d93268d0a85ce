"""Training: from a frame to the files of a model artefact."""
