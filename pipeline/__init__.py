"""techconverge: forecast technology convergence from patents and turn it into one firm's opportunities."""

__version__ = "0.1.0"
