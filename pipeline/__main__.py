"""``python -m pipeline`` is the ``techconverge`` command."""

from pipeline.cli import main

main()
