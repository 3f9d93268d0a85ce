"""Pure folds: from events to rows and figures."""
