"""Files of runs and predictions."""
