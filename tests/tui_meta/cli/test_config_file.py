"""A configuration file from a stranger costs one line and little work."""

from pathlib import Path

import pytest

from core.algorithms.fomaml import Fomaml
from core.errors import ConfigError, ConfigFileError
from core.validation import decode
from tui_meta.cli.config_file import LARGEST_FILE, LONGEST_LINE, read_config_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "c.toml"


def test_settings_are_read(path: Path) -> None:
    path.write_text("seed = 3\n[network]\nhidden = [40, 40]  # narrow\n")
    assert read_config_file(path) == {"seed": 3, "network": {"hidden": [40, 40]}}


def test_a_byte_order_mark_is_skipped(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfseed = 3\n")
    assert read_config_file(path) == {"seed": 3}


def test_a_key_of_thousands_of_parts_is_not_parsed(path: Path) -> None:
    # The work that the parser does grows with the square of their number: 20,000 took 10 s.
    path.write_text("seed = 3\na" + ".a" * LONGEST_LINE + " = 1\n")
    with pytest.raises(ConfigFileError, match="line 2 is longer than 2,000 characters"):
        read_config_file(path)


def test_a_file_without_end_is_not_read() -> None:
    with pytest.raises(ConfigFileError, match="too large"):
        read_config_file(Path("/dev/zero"))


def test_a_large_file_is_refused(path: Path) -> None:
    path.write_text("#\n" * LARGEST_FILE)
    with pytest.raises(ConfigFileError, match="too large"):
        read_config_file(path)


def test_a_number_that_no_float_holds_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match=r"outer_lr: must be a number of at most 1e308"):
        decode(Fomaml, {"outer_lr": 10**400}, "fomaml")
