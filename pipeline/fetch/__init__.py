"""Public data fetched from their addresses, when a command asks for it and never else."""
