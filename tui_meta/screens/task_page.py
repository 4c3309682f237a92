"""What Lab and time machine share: a task by presets, steps, and charts by the room there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from core.analysis.answers import AnyAnswer, RunHistory
from core.analysis.questions import Live, ReadHistory
from core.evaluation.protocols import PresetName
from tui_meta.screens.page import Page
from tui_meta.views.keys.table import Key
from tui_meta.views.lab import state as lab
from tui_meta.views.lab.state import LabState
from tui_meta.views.lab.text import Shape, shape

_FRAMED_HEIGHT = 28


class TaskPage(Page):
    """A page on which thetas adapt to one task.

    It arranges its widgets in ``arrange_for``, changes its task in ``edit``, shows itself in
    ``show``, and asks what runs have left in ``recall``.
    """

    on_other_chart = False
    """Whether the chart that takes turns is shown, where one has room."""

    def arrange_for(self, made: Shape) -> None:
        """Show the widgets that have room."""
        raise NotImplementedError

    def edit(self, changed: Callable[[LabState], LabState]) -> None:
        """Make another state of the bench."""
        raise NotImplementedError

    def show(self) -> None:
        """Show what is known."""
        raise NotImplementedError

    def recall(self) -> None:
        """Learn what runs have left; checkpoints may have come."""
        raise NotImplementedError

    @property
    def shape(self) -> Shape:
        """What the terminal has room for."""
        return shape(self.size.width, self.size.height)

    @property
    def footer_keys(self) -> Sequence[Key]:
        """Without the key that changes charts, where all have room."""
        return [key for key in self.KEYS if self.shape == "small" or key.action != "other_chart"]

    def on_mount(self) -> None:
        """Every size has its arrangement."""
        self._arrange()

    def on_resize(self) -> None:
        """Another size, another arrangement."""
        self._arrange()

    def on_screen_resume(self) -> None:
        """Checkpoints may have come while another screen was in front."""
        self.recall()

    def _arrange(self) -> None:
        self.arrange_for(self.shape)
        self.set_class(self.size.height >= _FRAMED_HEIGHT, "-framed")

    def recall_run(self, run: str, then: Callable[[str, RunHistory], None]) -> bool:
        """Ask what ``run`` has left, if it has begun."""
        one = self.dashboard.snapshots.get(run)
        if one is None or one.state == "loading":
            return False
        self.ask(f"recall {run}", ReadHistory(of=Live(run)), partial(_recalled, then, run))
        return True

    # Keys.

    def action_preset(self, name: str) -> None:
        """A task of a preset."""
        self.edit(lambda at: lab.choose(at, cast(PresetName, name)))

    def action_another(self) -> None:
        """The next task of the same kind."""
        self.edit(lab.another)

    def action_step(self, by: int) -> None:
        """Look at another gradient step."""
        self.edit(lambda at: lab.step(at, by))

    def action_other_chart(self) -> None:
        """Show the other chart, where there is room for one."""
        if self.shape != "small":
            self.show_message("all charts are on the screen")
            return
        self.on_other_chart = not self.on_other_chart
        self._arrange()
        self.call_after_refresh(self.show)


def _recalled(then: Callable[[str, RunHistory], None], run: str, answer: AnyAnswer) -> None:
    assert isinstance(answer, RunHistory)
    then(run, answer)
