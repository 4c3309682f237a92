"""What the key info shows of a run."""

from pathlib import Path

import pytest

from tests.support.dashboard.watch_state import snapshots_of, started_session
from tui_meta.views.runs.info import info_lines
from tui_meta.views.text import cells, plain


def test_settings_budget_definitions_and_provenance_are_complete() -> None:
    session = started_session()
    (run, _) = snapshots_of(session)
    text = "\n".join(plain(one) for one in info_lines([run], session.folders(), 87))
    for part in (
        "FOMAML, fomaml-1: used so far",
        "12,300 of 50,000",
        "36,900",
        "2,214,000, of support and query sets",
        "73,800 evaluations",
        "query loss after the inner step",
        "on 64 tasks, 10 points, 32 steps",
        "checkpoints/fomaml-1",
        "torch on cpu",
        "   fomaml.inner_lr              0.02",
        "*  engine                       torch",
    ):
        assert part in text


@pytest.mark.parametrize("width", [10, 35, 87, 200])
def test_the_text_fits_its_width(width: int) -> None:
    runs = snapshots_of(started_session())
    lines = info_lines(runs, {"fomaml-1": Path("/a b")}, width)
    assert max(map(cells, lines)) <= max(width, 34)


def test_settings_of_another_version_are_unknown() -> None:
    session = started_session()
    session.change("fomaml-1", config={"seed": -1})
    lines = [plain(one) for one in info_lines(snapshots_of(session)[:1], {}, 87)]
    assert "Settings unknown: those of another version" in lines
    assert "validation    off" in lines


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(77.04, "training      77.0 seconds"), (7_322.0, "training      2:02:02")],
)
def test_the_time_of_training_is_said_once(seconds: float, words: str) -> None:
    session = started_session()
    session.change("fomaml-1", elapsed=seconds)
    lines = [plain(one) for one in info_lines(snapshots_of(session)[:1], {}, 87)]
    assert words in lines


def test_a_setting_without_a_value_has_a_dash() -> None:
    lines = info_lines(snapshots_of(started_session())[:1], {}, 87)
    (model,) = [plain(one) for one in lines if plain(one).split()[:1] == ["model"]]
    assert model.split() == ["model", "-", "-"]
