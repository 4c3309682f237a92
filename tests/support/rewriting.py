"""The tests as pytest rewrites them, with explained assertions."""

import pytest
from _pytest.assertion import rewrite

from tests.support.terminals.forked import ROOT


def rewrite_tests(config: pytest.Config) -> None:
    """Fill the cache with the tests that have changed: each worker would rewrite all of them."""
    state = config.stash[rewrite.assertstate_key]
    for path in (ROOT / "tests").rglob("test_*.py"):
        pyc = rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}"
        if rewrite._read_pyc(path, pyc) is None:
            status, code = rewrite._rewrite_test(path, config)
            pyc.parent.mkdir(exist_ok=True)
            rewrite._write_pyc(state, code, status, pyc)
