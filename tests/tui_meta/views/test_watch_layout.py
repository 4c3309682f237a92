"""The arrangement of panels on the watch screen."""

from hypothesis import given
from hypothesis import strategies as st

from tui_meta.views.watch import layout


@given(
    st.integers(1, 300),
    st.integers(1, 100),
    st.integers(1, 16),
    st.data(),
    st.booleans(),
    st.booleans(),
)
def test_the_chosen_panel_and_run_are_shown_at_any_size(
    width: int, height: int, runs: int, data: st.DataObject, enlarged: bool, verdict: bool
) -> None:
    chosen = data.draw(st.integers(0, runs - 1))
    panel = data.draw(st.sampled_from(layout.all_panels(runs)))
    chart = panel if panel in layout.CHARTS else layout.TRAINING
    first = data.draw(st.integers(0, runs - 1))
    arranged = layout.arrange(
        width,
        height,
        runs,
        panel,
        chart,
        line=chosen,
        first=first,
        enlarged=enlarged,
        verdict=verdict,
    )
    assert chosen in arranged.lines
    assert set(arranged.lines) <= set(range(runs))
    if width < layout.LEAST_WIDTH or height < layout.LEAST_HEIGHT:
        assert not arranged.panels
        return
    assert panel in arranged.panels
    assert len(set(arranged.panels)) == len(arranged.panels)
    assert {sum(arranged.spans[each] for each in row) for row in arranged.rows} == {
        arranged.columns
    }
    rest = arranged.title + len(arranged.lines) * arranged.run_rows + arranged.message_rows + 1
    rest += arranged.verdict_rows
    assert height - rest >= 3 * len(arranged.rows)


def test_ten_runs_have_a_line_each_and_the_chosen_one_the_panels_for_one() -> None:
    def rows(width: int, height: int, panel: str = "validation") -> tuple[tuple[str, ...], ...]:
        arranged = layout.arrange(
            width, height, 10, panel, "validation", line=7, enlarged=False, verdict=True
        )
        assert arranged.lines == range(10)
        return arranged.rows

    assert rows(80, 24) == (("validation",),)
    assert rows(80, 24, "wave-0") == (("wave-0",),)
    assert rows(120, 40) == (("validation",), ("table", "wave-0"))
    assert rows(120, 40, "facts") == (("validation",), ("facts", "wave-0"))
    assert rows(200, 60)[1] == ("table", "updates", "wave-0")


def test_more_lines_than_fit_scroll_no_further_than_they_must() -> None:
    def lines(chosen: int, first: int) -> range:
        return layout.arrange(
            80, 24, 16, "validation", "validation", line=chosen, first=first, enlarged=False
        ).lines

    assert lines(0, 0) == range(10)
    assert lines(9, 0) == range(10)
    assert lines(10, 0) == range(1, 11)
    assert lines(5, 1) == range(1, 11)
    assert lines(0, 1) == range(10)
    assert lines(15, 1) == range(6, 16)


def test_every_panel_is_shown_at_once_where_there_is_room() -> None:
    def panels(width: int, height: int) -> int:
        arranged = layout.arrange(width, height, 2, "table", "training", enlarged=False)
        return len(arranged.panels)

    assert (panels(200, 60), panels(120, 40), panels(80, 24), panels(50, 12)) == (7, 4, 2, 1)


def test_arrows_and_tab_choose_the_next_panel() -> None:
    boxes = {"a": (0, 0, 10, 5), "b": (10, 0, 10, 5), "c": (0, 5, 20, 5)}
    assert layout.neighbour(boxes, "a", "right") == "b"
    assert layout.neighbour(boxes, "b", "down") == "c"
    assert layout.neighbour(boxes, "a", "left") is None
    assert layout.neighbour(boxes, "gone", "left") == "a"
    assert layout.neighbour({}, "gone", "left") is None
    assert layout.following("abc", "c", 1) == "a"
    assert layout.following("abc", "?", -1) == "c"
