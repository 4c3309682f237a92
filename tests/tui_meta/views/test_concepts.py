"""The help begins with what a screen shows."""

import pytest

from tui_meta.app.pages import PAGES
from tui_meta.screens.watch.screen import WatchScreen
from tui_meta.views.keys.concepts import HEADING, concepts
from tui_meta.views.keys.help import help_lines
from tui_meta.views.keys.keymap import key_in, usual_key
from tui_meta.views.text import cells, plain

SCREENS = [WatchScreen.NAME, *(page.NAME for page in PAGES.values())]


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_explains_itself_before_its_keys(screen: str) -> None:
    about = concepts(screen, usual_key)
    lines = help_lines({"more": "Something else"}, 75, (), about)
    assert plain(lines[0]) == HEADING
    first = lines.index(())
    assert "More" in plain(lines[first + 1])
    assert len(about) <= first - 1 <= 28, "it is read at a glance"
    assert max(map(cells, lines)) <= 75
    assert not any("{" in plain(one) for one in lines)


@pytest.mark.parametrize("screen", [screen for screen in SCREENS if screen != "Messages"])
def test_it_says_what_a_good_value_is(screen: str) -> None:
    assert "good" in concepts(screen, usual_key)


def test_it_names_keys_where_the_user_has_put_them() -> None:
    assert concepts("Watch", key_in({"pause": "P"}))["focus"].endswith(
        "P, ., s, c, < and > act on all runs."
    )
