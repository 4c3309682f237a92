"""``tui-meta --check``: a line for each comparison, and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.algorithms.registry import ALGORITHMS
from core.config import TABLES
from core.errors import USER_FILES
from tui_meta.cli.main import main

SMALL = ("--network.hidden", "8", "--engine", "torch")

DECAYED = """
from dataclasses import dataclass
from core import Maml, register

@register
@dataclass(frozen=True, kw_only=True)
class Decayed(Maml):
    name, title, kernel = "decayed", "Decayed", None

    def inner_step(self, model, theta, phi, x, y, lr):
        losses, gradient = model.loss_and_gradient(phi, x, y)
        return losses, gradient, phi - lr * gradient - 0.1 * phi
"""


def test_each_algorithm_has_its_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    algorithms = ("maml", "fomaml", "reptile")
    assert main(["--check", "--algorithms", *algorithms, *SMALL, "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "maml: outer gradient of iteration 1, 25 numbers, torch"
    assert lines[1].startswith("  autograd            equal    to within ")
    assert lines[1].endswith(
        "; second order, the derivative of the training loss through the inner steps"
    )
    assert lines[2].startswith("  central difference  equal    to within ")
    assert "; first order, " in lines[4]
    assert lines[7].endswith("; theta - phi, the mean over tasks")
    assert lines[8] == "  central difference  none     as it is not the derivative of a loss"
    assert not list(tmp_path.iterdir())


@pytest.fixture
def registries() -> Iterator[None]:
    """Remove what a test has registered."""
    tables: tuple[dict[str, type], ...] = (ALGORITHMS, TABLES)  # type: ignore[assignment]
    before, files = [dict(table) for table in tables], set(USER_FILES)
    yield
    for table, known in zip(tables, before, strict=True):
        table.clear()
        table.update(known)
    USER_FILES.intersection_update(files)


@pytest.mark.usefixtures("registries")
def test_an_algorithm_of_the_users_own_that_is_wrong_has_a_clear_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(DECAYED)
    monkeypatch.setenv("TUI_META_CODE", str(tmp_path / "mine.py"))
    config = tmp_path / "mine.toml"
    config.write_text('algorithms = ["decayed"]')
    assert main(["--check", "--config", str(config), *SMALL]) == 1
    _, autograd, difference = capsys.readouterr().out.splitlines()
    assert autograd.startswith("  autograd            DIFFERS  by ")
    assert difference.startswith("  central difference  DIFFERS  by ")


def test_groups_of_a_sweep_are_checked_once(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--algorithms", "maml", "--seeds", "2", "--sweep", "maml.order=first,second"]
    assert main(["--check", *words, *SMALL]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[::3]] == [
        "maml order=first",
        "maml order=second",
    ]
