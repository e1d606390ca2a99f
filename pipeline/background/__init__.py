"""A larger corpus beside the domain: what its codes do outside it (method B6)."""
