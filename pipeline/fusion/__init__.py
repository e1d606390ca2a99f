"""Fusion of the modalities' features into one vector and one logit a pair."""
