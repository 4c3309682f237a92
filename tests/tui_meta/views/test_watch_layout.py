"""The arrangement of panels on the watch screen."""

from hypothesis import given
from hypothesis import strategies as st

from tui_meta.views.watch import layout


@given(
    st.integers(1, 300),
    st.integers(1, 100),
    st.integers(1, 4),
    st.data(),
    st.booleans(),
    st.booleans(),
)
def test_the_chosen_panel_is_shown_at_any_size(
    width: int, height: int, runs: int, data: st.DataObject, enlarged: bool, verdict: bool
) -> None:
    panel = data.draw(st.sampled_from(layout.all_panels(runs)))
    chart = panel if panel in layout.CHARTS else layout.TRAINING
    arranged = layout.arrange(width, height, runs, panel, chart, enlarged=enlarged, verdict=verdict)
    if width < layout.LEAST_WIDTH or height < layout.LEAST_HEIGHT:
        assert not arranged.panels
        return
    assert panel in arranged.panels
    assert len(set(arranged.panels)) == len(arranged.panels)
    assert all(arranged.columns % len(row) == 0 for row in arranged.rows)
    rest = arranged.title + runs * arranged.run_rows + arranged.message_rows + 1
    rest += arranged.verdict_rows
    assert height - rest >= 3 * len(arranged.rows)


def test_every_panel_is_shown_at_once_where_there_is_room() -> None:
    def panels(width: int, height: int) -> int:
        arranged = layout.arrange(width, height, 2, "table", "training", enlarged=False)
        return len(arranged.panels)

    assert (panels(200, 60), panels(120, 40), panels(80, 24), panels(50, 12)) == (6, 4, 2, 1)


def test_arrows_and_tab_choose_the_next_panel() -> None:
    boxes = {"a": (0, 0, 10, 5), "b": (10, 0, 10, 5), "c": (0, 5, 20, 5)}
    assert layout.neighbour(boxes, "a", "right") == "b"
    assert layout.neighbour(boxes, "b", "down") == "c"
    assert layout.neighbour(boxes, "a", "left") is None
    assert layout.neighbour(boxes, "gone", "left") == "a"
    assert layout.neighbour({}, "gone", "left") is None
    assert layout.following("abc", "c", 1) == "a"
    assert layout.following("abc", "?", -1) == "c"
