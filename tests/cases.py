"""Where tests find real data, and the small corpora they share."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


def real_data(name: str) -> Path:
    """Path of a file below the real-data folder; skips the test, saying so, when it is not there."""
    root = Path(os.environ.get("TECHCONVERGE_REAL_DATA", PROJECT.parent / "shared" / "data"))
    path = root / name
    if not path.exists():
        pytest.skip(f"real data not present: {name} (set TECHCONVERGE_REAL_DATA to its folder)")
    return path


def names(folder: Path) -> list[str]:
    """What a folder holds, by name."""
    return sorted(path.name for path in folder.iterdir())
