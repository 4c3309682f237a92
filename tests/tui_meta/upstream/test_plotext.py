"""plotext still has the faults that its module works around, and the private parts that it uses."""

import subprocess
import sys
import threading
from pathlib import Path

import plotext  # type: ignore[import-untyped]  # it ships no types
import pytest

from tui_meta.upstream.plotext import MANUAL, draw_lines, own_figure


@pytest.mark.parametrize("number", ["math.nan", "math.inf", "1e9"])
def test_plotext_still_aborts_the_process_over_some_numbers(number: str) -> None:
    # In a process of its own, for the kernel takes the test runner with it.
    script = f"""
import math
from tui_meta.upstream.plotext import draw_lines
draw_lines([[(0.0, 0.0, False), (0.5, {number}, True), (1.0, 1.0, True)]], ["*"], 40, 10)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode < 0


def test_plotexts_public_figure_is_still_limited_to_the_terminal() -> None:
    assert plotext.figure.plot_size(5_000, 4_000).size() != (5_000, 4_000)
    plotext.figure.clear.all()


def test_a_terminal_still_lends_a_figure_of_any_size() -> None:
    # `own_figure` rests on this private structure: a terminal makes its own figure.
    terminal = type(plotext.terminal)()
    figure = terminal.limit(False, False)._master
    assert figure is not plotext.figure
    assert figure.parent() is terminal
    assert figure.plot_size(500, 400).size() == (500, 400)
    assert figure.theme("colorless").axes(False).build().size() == (500, 400)


def test_plotext_still_reads_all_points_of_a_line_again(monkeypatch: pytest.MonkeyPatch) -> None:
    figure, new_signal, new_marker = own_figure()
    read = list[object]()
    monkeypatch.setattr(new_signal, "_get_unique_pixels", lambda one: read.append(one) or [])
    figure.draw(figure.signal([0.0, 1.0], [0.0, 1.0], marker=new_marker("*", 0)))
    figure.clear.data()
    assert read


def test_lines_are_those_of_plotexts_public_methods() -> None:
    line = [(at / 20, at % 7 / 7, at % 5 > 0) for at in range(20)]
    figure, _, new_marker = own_figure()
    figure.clear.data()
    figure.plot_size(40, 10)
    signal = figure.signal(
        *([point[axis] for point in line] for axis in (0, 1)), marker=new_marker("braille", 0)
    )
    signal.lines(True)
    for index in range(0, 20, 5):
        signal.line(index, False)
    expected = figure.draw(signal).build().string()
    assert "\n".join(draw_lines([line], ["braille"], 40, 10)) == expected.rstrip("\n")


def test_plotexts_public_figure_is_still_one_for_all_threads() -> None:
    plotext.figure.plot_size(20, 10)
    thread = threading.Thread(target=lambda: plotext.figure.plot_size(10, 5))
    thread.start()
    thread.join()
    assert plotext.figure.size() == (10, 5)
    plotext.figure.clear.all()


def test_plotext_still_lays_out_its_manual_when_it_is_imported() -> None:
    assert f"\nfrom {MANUAL} import docs as doc" in Path(plotext.__file__).read_text()


def test_lines_are_drawn_without_the_manual() -> None:
    script = """
import sys
from tui_meta.upstream.plotext import draw_lines
drawn = draw_lines([[(0.0, 0.0, False), (1.0, 1.0, True)]], ["*"], 40, 10)
print(len(drawn), "plotext.prettydoc" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout == "10 False\n", done.stderr
