"""From features to a ranking with calibrated probabilities."""
