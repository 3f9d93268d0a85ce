"""Model artefacts: content, local folder, shared copy, experiment tracker."""
