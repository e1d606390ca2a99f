"""Features of candidate pairs, a block a file."""
