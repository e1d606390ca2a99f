"""Which pairs are forecast, and what became of them."""
