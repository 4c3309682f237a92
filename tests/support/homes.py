"""A user without a home folder, as containers and services have."""

import pwd

import pytest


def without_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let neither the environment nor the user's account name a home."""

    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for variable in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
