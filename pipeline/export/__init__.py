"""A run taken elsewhere: its tables, its network and its figures in the formats of other programs."""
