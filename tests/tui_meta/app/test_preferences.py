"""Preferences apply, an error in their file is one line, and flags override them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from core.commands import Pause
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.watch import press, settle, shown
from tests.support.homes import without_home
from tests.support.hostile.damage import HOSTILE_TEXT
from tests.support.hostile.guards import harmless
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.ascii import to_ascii
from tui_meta.app.preferences import Preferences
from tui_meta.app.themes import PALETTES
from tui_meta.cli.preferences import preferences
from tui_meta.views.keys.keymap import (
    BOUND_TOGETHER,
    FORMER_NAMES,
    check_keymap,
    with_current_names,
)


@pytest.fixture(autouse=True)
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return tmp_path / "tui-meta" / "config.toml"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_without_a_file_the_defaults_apply_and_nothing_is_written(tmp_path: Path) -> None:
    with harmless(tmp_path):
        assert preferences({}) == Preferences(ascii=False)
    assert not list(tmp_path.iterdir())


def test_without_a_home_the_defaults_apply(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    without_home(monkeypatch)
    assert preferences({}) == Preferences(ascii=False)
    assert capsys.readouterr() == ("", "")


def test_flags_override_the_file(config_file: Path) -> None:
    write(config_file, 'theme = "dark"\nfps = 4\nmouse = false\nascii = true\n[keys]\nfreeze="Z"\n')
    assert preferences({}) == Preferences(
        theme="dark", fps=4, mouse=False, ascii=True, keys={"freeze": "Z"}
    )
    flags = {"theme": "light", "fps": 20.0, "mouse": True, "ascii": False}
    assert preferences(flags) == Preferences(**flags, keys={"freeze": "Z"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fps = 0", "fps: must be a number from 0.1 to 60"),
        ('theme = "pink"', "theme: must be one of terminal, dark"),
        ("mouse = 1", "mouse: must be "),
        ("mous = true", "unknown setting 'mous' in the configuration; did you mean 'mouse'?"),
        ("[keys]\nfreez = 'Z'", "unknown setting 'freez' in [keys]; did you mean 'freeze'?"),
        ("[keys]\nfreeze = 'q'", "keys.freeze: must be another key: quit has"),
        ("[keys]\nfreeze = '?'", "must be another key: help has it"),
        ("[keys]\nfreeze = 'o'\ncopy = 'o'", "must be another key: freeze has it"),
        ("[keys]\nfreeze = 'zz'", "keys.freeze: must be a key such as z or ctrl+z"),
        ("[keys]\nfreeze = 'a,b'", "keys.freeze: must be a key"),
        (
            "[keys]\n'lab gra' = 'C'",
            "unknown setting 'lab gra' in [keys]; did you mean 'lab grab",
        ),
        (
            "[keys]\n'lab grab' = 'A'",
            "keys.lab grab: must be another key: lab po",
        ),
        ("[keys]\n'lab grab' = 'p'", "must be another key: picture has it"),
        ("[keys]\n'runs sort' = 'down'", "must be another key: runs choose has it"),
        (
            "[keys]\npicture = 'i'",
            "keys.picture: must be another key: info has",
        ),
        ("[keys]\nfreeze = ''", "keys.freeze: must be a key such as z or ctrl+z"),
        ('[keys]\nfreeze = "a\\u0007"', "keys.freeze: must be "),
        ("theme = ", "not valid TOML"),
    ],
)
def test_an_error_in_the_file_is_one_line_and_ignored(
    config_file: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    write(config_file, text)
    preferred = preferences({})
    assert preferred == Preferences(ascii=False, keys={"freeze": "o"} if "'o'" in text else {})
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert str(config_file) in line
    assert line.endswith(("; using defaults", "; the rest applies"))
    assert preferred.problems == (line,)


def test_what_is_right_in_the_file_applies(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = "keys." + "x" * 70
    swapped = 'freeze = "."\nstep = "z"\n'
    wrong = f'copy = "zz"\n"{unknown}" = "Z"\n'
    write(config_file, f'theme = "dark"\nfps = 0\n[keys]\n{swapped}{wrong}')
    keys = {"freeze": ".", "step": "z"}  # each has the key of the other
    assert preferences({}) == Preferences(theme="dark", ascii=False, keys=keys)
    assert len(capsys.readouterr().err.splitlines()) == 3


async def test_the_dashboard_says_what_is_wrong_in_the_file() -> None:
    app = TuiMetaApp(FakeSession(), Preferences(problems=("config.toml: fps: must be lower",)))
    async with app.run_test(size=(80, 24)) as pilot:
        assert "config.toml: fps: must be lower" in await press(pilot, "w")


def test_a_folder_in_its_place_is_one_line_too(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_file.mkdir(parents=True)
    assert preferences({}) == Preferences(ascii=False)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_locale_decides_on_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    assert preferences({}).ascii is False
    monkeypatch.setenv("LC_ALL", "C")
    assert preferences({}).ascii is True
    assert preferences({"ascii": False}).ascii is False


# What they do.


async def test_a_key_that_was_moved_works_and_is_shown_everywhere() -> None:
    session = FakeSession()
    app = TuiMetaApp(session, Preferences(keys={"pause": "P", "help": "H", "commands": "%"}))
    async with app.run_test(size=(120, 50)) as pilot:
        text = await press(pilot, "space")
        assert not session.commands(Pause)
        assert "P pause" in text
        assert "H help" in text
        await press(pilot, "P")
        assert session.commands(Pause)
        assert "┃ P " in await press(pilot, "H")
        await press(pilot, "escape")
        assert "P          pause" in await press(pilot, "percent_sign")


def test_keys_may_change_places_and_be_the_same_on_different_screens() -> None:
    check_keymap({"lab grab": "A", "lab point": "H", "battery seed": "H", "save": ".", "step": "s"})


def test_key_maps_of_version_0_1_still_work() -> None:
    assert with_current_names({"lab carry": "T", "freeze": "Z"}) == {"lab grab": "T", "freeze": "Z"}
    actions = {key.name for keys in BOUND_TOGETHER.values() for key in keys}
    assert set(FORMER_NAMES.values()) <= actions
    assert not set(FORMER_NAMES) & actions


def test_no_two_actions_of_a_screen_share_a_key_or_a_name() -> None:
    for keys in BOUND_TOGETHER.values():
        names = [name for key in keys for name in key.names.split(",")]
        assert len(set(names)) == len(names)
        assert len({key.name for key in keys}) == len(keys)


async def test_a_moved_key_leaves_the_others_of_its_action() -> None:
    app = TuiMetaApp(FakeSession(), Preferences(keys={"quit": "Q", "left": "B"}))
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "right", "B")
        assert app.focused is not None
        assert app.focused.id == "table"
        await press(pilot, "right", "h")
        assert app.focused.id == "table"
        assert "quit?" in await press(pilot, "ctrl+c")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_ascii_mode_shows_only_ascii(size: tuple[int, int]) -> None:
    app = TuiMetaApp(FakeSession(), Preferences(ascii=True))
    async with app.run_test(size=size) as pilot:
        for keys in ((), ("e",), ("l", "x"), ("S", "enter"), ("question_mark",), ("escape", "m"),
                     ("colon",), ("escape", "escape", "q")):  # fmt: skip
            assert (await press(pilot, *keys)).isascii()


async def test_series_differ_by_marker_and_label_in_ascii_mode() -> None:
    app = TuiMetaApp(FakeSession(), Preferences(ascii=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = shown(app)
        assert "** FOMAML  ## Reptile" in text
        assert ".. true  ++ before  ** after  o support" in text


@given(HOSTILE_TEXT | st.text())
def test_a_replacement_takes_as_many_cells(text: str) -> None:
    assert to_ascii(text).isascii()
    assert cell_len(to_ascii(text)) == cell_len(text) or not text.isprintable()


@pytest.mark.parametrize("theme", list(PALETTES))
async def test_a_theme_gives_every_cell_its_own_colours(theme: str) -> None:
    palette = PALETTES[theme]
    app = TuiMetaApp(FakeSession(), Preferences(theme=theme))  # type: ignore[arg-type]
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        strips = app.screen._compositor.render_strips(app.size)
        backgrounds = {segment.style.bgcolor.triplet.hex for strip in strips for segment in strip}  # type: ignore[union-attr]
        texts = {segment.style.color.triplet.hex for strip in strips for segment in strip}  # type: ignore[union-attr]
        assert f"#{palette.background}" in backgrounds
        assert f"#{palette.text}" in texts
        assert f"#{palette.bright.split()[6]}" in texts  # the first run's curve


async def test_no_color_is_stronger_than_a_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = TuiMetaApp(FakeSession(), Preferences(theme="dark"))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        strips = app.screen._compositor.render_strips(app.size)
        colors = [segment.style.color for strip in strips for segment in strip if segment.style]
        assert all(color is None or color.is_default for color in colors)


def _luminance(digits: str) -> float:
    parts = [value / 255 for value in bytes.fromhex(digits)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", list(PALETTES))
def test_every_colour_of_a_theme_can_be_read_on_its_background(theme: str) -> None:
    palette = PALETTES[theme]
    least = 9.0 if theme == "high-contrast" else 4.5  # the web's guidelines: 4.5 for text
    ground = _luminance(palette.background)
    colors = [palette.text, *palette.normal.split()[1:], *palette.bright.split()[1:]]
    for digits in colors:
        high, low = sorted((_luminance(digits), ground), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least, digits


@pytest.mark.parametrize(
    ("text", "ascii"),
    [
        ("0.0500 ± 0.0050", "0.0500 +-0.0050"),
        ("FOMAML 0.907 → 0.112", "FOMAML 0.907 ->0.112"),
        ("2.43·sin(x + 3.07) · sine", "2.43*sin(x + 3.07) . sine"),
        ("no run with “q”", 'no run with "q"'),
        ("live θ", "live T"),
        ("age▾", "age*"),
    ],
)
def test_ascii_keeps_what_is_meant(text: str, ascii: str) -> None:
    assert to_ascii(text) == ascii


async def test_arrow_keys_are_not_named_by_other_keys_in_ascii() -> None:
    app = TuiMetaApp(FakeSession(), Preferences(ascii=True))
    async with app.run_test(size=(120, 40)) as pilot:
        assert "h j k l cursor" in await press(pilot, "a")
        assert "left h" in await press(pilot, "question_mark")
        assert "k          watch up" in await press(pilot, "escape", "colon", *"watch up")
