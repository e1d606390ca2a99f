"""Runs in a row on a corpus that grows: what changed, how past forecasts fared, whether the data drift."""
