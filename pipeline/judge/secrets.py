"""Keys live in the environment and nowhere else: what is written is searched for their values first."""

import os
import re
from typing import Any

_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_SHORTEST = 8  # a shorter value is more likely a word of the text than a key
HIDDEN = "[secret]"


def secrets() -> list[str]:
    """Values in the environment that are keys by their name, the longest first."""
    values = {value.strip() for name, value in os.environ.items() if _NAMES.search(name)}
    return sorted((value for value in values if len(value) >= _SHORTEST), key=lambda value: (-len(value), value))


def scrubbed(value: Any, hidden: list[str]) -> Any:
    """A JSON value with the secrets ``hidden`` in its texts blotted out."""
    if isinstance(value, str):
        for secret in hidden:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, dict):
        return {key: scrubbed(item, hidden) for key, item in value.items()}
    if isinstance(value, list):
        return [scrubbed(item, hidden) for item in value]
    return value
