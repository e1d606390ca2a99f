"""No test needs a real key, and none waits as long as a user would."""

import pytest

KEY = "sk-planted-5f0c2a9be71d"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """A key planted in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    return KEY
