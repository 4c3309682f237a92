"""The base of Lab and time machine: a task from presets, steps, and charts that fit the size."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from core.analysis.answers import AnyAnswer, RunHistory
from core.analysis.questions import Live, ReadHistory
from core.evaluation.few_shot_tasks import PresetName
from tui_meta.screens.page import Page
from tui_meta.views.keys.table import Key
from tui_meta.views.lab import state as lab
from tui_meta.views.lab.state import LabState
from tui_meta.views.lab.text import Shape, shape


class TaskPage(Page):
    """A page on which the parameters of runs adapt to one task.

    It arranges its widgets in ``arrange_for``, changes its task in ``edit``, shows answers in
    ``show``, and asks for the history of runs in ``recall``.
    """

    on_other_chart = False
    """True while the second chart is shown, where there is room for one."""

    def arrange_for(self, shape: Shape) -> None:
        """Show the widgets that fit."""
        raise NotImplementedError

    def edit(self, changed: Callable[[LabState], LabState]) -> None:
        """Change the state of the Lab."""
        raise NotImplementedError

    def show(self) -> None:
        """Show the answers that are known."""
        raise NotImplementedError

    def recall(self) -> None:
        """Ask for the history of the runs, which may have new checkpoints."""
        raise NotImplementedError

    @property
    def shape(self) -> Shape:
        """The layout that fits the terminal."""
        return shape(self.size.width, self.size.height)

    @property
    def footer_keys(self) -> Sequence[Key]:
        """The keys of the page, without the key that changes charts where all fit."""
        return [key for key in self.KEYS if self.shape == "small" or key.action != "other_chart"]

    def on_mount(self) -> None:
        self._arrange()

    def on_resize(self) -> None:
        self._arrange()

    def on_screen_resume(self) -> None:
        """Look for checkpoints that are new since another screen was in front."""
        self.recall()

    def _arrange(self) -> None:
        self.arrange_for(self.shape)

    def recall_run(
        self,
        run: str,
        then: Callable[[str, RunHistory], None],
        failed: Callable[[str], None] | None = None,
    ) -> bool:
        """Ask for the history of ``run``; False if it is still loading. Otherwise like `ask`."""
        one = self.dashboard.snapshots.get(run)
        if one is None or one.state == "loading":
            return False
        take = partial(_recalled, then, run)
        self.ask(f"recall {run}", ReadHistory(of=Live(run)), take, failed=failed)
        return True

    # Keys.

    def action_preset(self, name: str) -> None:
        self.edit(lambda at: lab.choose(at, cast(PresetName, name)))

    def action_another(self) -> None:
        self.edit(lab.another)

    def action_step(self, by: int) -> None:
        self.edit(lambda at: lab.step(at, by))

    def action_other_chart(self) -> None:
        """Show the other chart, where there is room for only one."""
        if self.shape != "small":
            self.show_message("both charts are shown")
            return
        self.on_other_chart = not self.on_other_chart
        self._arrange()
        self.call_after_refresh(self.show)


def _recalled(then: Callable[[str, RunHistory], None], run: str, answer: AnyAnswer) -> None:
    assert isinstance(answer, RunHistory)
    then(run, answer)
