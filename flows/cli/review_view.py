"""The rows that wait, one after the other, on a terminal: keys only, and every decision on file at once."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, HorizontalScroll, VerticalScroll
from textual.events import Key
from textual.widgets import ProgressBar, Static

from flows.cli import review_text
from flows.cli.review_edit import Draft, Edit
from nightschool.report.text import clean, visible
from nightschool.review import Case, Voice
from tasks import review
from tasks.sitting import Sitting

_STYLE = """
Screen { layout: vertical; }
#head { height: 1; background: $primary 25%; padding: 0 1; }
#title { width: 1fr; }
#standing { width: auto; }
#bar { height: 1; padding: 0 1; }
#bar Bar { width: 1fr; }
#question { height: auto; max-height: 35%; padding: 1 2 0 2; scrollbar-size-vertical: 1;
  scrollbar-color: $surface-lighten-3; scrollbar-background: $background; }
#question:focus { scrollbar-color: $primary; }
#choices { height: auto; max-height: 30%; padding: 1 2 0 2; }
#answers { height: 1fr; min-height: 4; }
.voice { width: 1fr; min-width: 24; border: round $surface-lighten-3; border-title-color: $text; padding: 0 1;
  scrollbar-size-vertical: 1; scrollbar-color: $surface-lighten-3; scrollbar-background: $background; }
.voice:focus { border: round $primary; }
.leads { border: round $success; }
.silent { color: $text-muted; border-title-color: $text-muted; }
#said { height: auto; padding: 0 2; }
#keys { height: auto; background: $surface; padding: 0 1; }
"""
_ACTIONS = {"accept": "accepted", "choose": "chosen", "edit": "edited", "reject": "rejected"}


class ReviewApp(App[None]):
    """One row at a time: question and choices above, each teacher's answer and reasoning side by side below."""

    CSS = _STYLE
    TITLE = "nightschool"
    ENABLE_COMMAND_PALETTE = False
    # No panel looks chosen before a key is pressed.
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "accept", priority=False),
        Binding("e,w", "edit", "edit"),
        Binding("r", "reject", "reject"),
        Binding("s", "skip", "skip"),
        Binding("u", "undo", "undo"),
        Binding("g", "go_on", "let the night go on"),
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "quit", "quit", priority=True),
    ]

    def __init__(self, sitting: Sitting) -> None:
        super().__init__()
        self.sitting = sitting

    def compose(self) -> ComposeResult:
        with Horizontal(id="head"):
            yield Static(id="title")
            yield Static(id="standing")
        yield ProgressBar(total=max(1, self.sitting.total), show_eta=False, show_percentage=False, id="bar")
        with VerticalScroll(id="question", can_focus=False):
            yield Static(id="asked")
        yield Static(id="choices")
        yield HorizontalScroll(id="answers", can_focus=False)
        yield Static(id="said")
        yield Static(id="keys")

    async def on_mount(self) -> None:
        self.theme = "tokyo-night"
        await self._show()

    async def on_key(self, event: Key) -> None:
        case = self.sitting.case
        if case is None or len(self.screen_stack) > 1:
            return
        answer = review_text.chosen(case, event.character or "")
        if answer is not None:
            event.stop()
            await self._choose(answer)

    async def action_accept(self) -> None:
        case = self.sitting.case
        if case and case.leading:
            await self._choose(case.leading)
        elif case:
            self._say("No answer leads here: choose one, or reject the row.", "bold yellow")

    async def action_reject(self) -> None:
        if self.sitting.case:
            self.sitting.decide(None)
            await self._show("Rejected.")

    async def action_skip(self) -> None:
        if self.sitting.case:
            self.sitting.skip()
            await self._show("Skipped: it is asked again at the end.")
        elif self.sitting.left:
            self.sitting.again()
            await self._show()

    async def action_undo(self) -> None:
        undone = self.sitting.undo()
        await self._show("Back: this row is open again." if undone else "Nothing to undo in this sitting.")

    async def action_edit(self) -> None:
        if case := self.sitting.case:
            self._edit(case, case.leading or "", "")

    async def action_go_on(self) -> None:
        if self.sitting.case is None and self.sitting.left and not self.sitting.spot_check:
            review.let_go(self.sitting.night)
            self.exit()

    async def _choose(self, answer: str) -> None:
        case = self.sitting.case
        assert case is not None
        if not case.reasoning_for(answer):
            self._edit(case, answer, f"No teacher argues for {answer}: write why it is right.")
            return
        made = self.sitting.decide(answer)
        await self._show(f"{_ACTIONS[made.action].capitalize()}: {review_text.named(case, answer)}")

    def _edit(self, case: Case, answer: str, why: str) -> None:
        async def save(draft: Draft) -> str | None:
            try:
                self.sitting.decide(draft.answer, reasoning=draft.reasoning, note=draft.note)
            except ValueError as err:
                return str(err)
            return None

        def saved(done: bool | None) -> None:
            # Once the screen below has its focus back: panels that are made anew must not take keys with them.
            self.call_after_refresh(self._show, "Saved." if done else "Nothing was changed.")

        self.push_screen(Edit(case, answer, why, save), saved)

    async def _show(self, said: str = "") -> None:
        sitting, case = self.sitting, self.sitting.case
        what = "spot check" if sitting.spot_check else "review"
        self.query_one("#title", Static).update(Text.assemble(f"{what} of ", (sitting.night.name, "bold")))
        self.query_one("#standing", Static).update(review_text.standing(sitting))
        self.query_one("#bar", ProgressBar).update(progress=sitting.total - sitting.left)
        asked = review_text.asked(case) if case else review_text.end(sitting)
        self.query_one("#asked", Static).update(asked)
        self.query_one("#choices", Static).update(review_text.options(case) if case else "")
        self.screen.set_focus(None)
        answers = self.query_one("#answers", HorizontalScroll)
        await answers.remove_children()
        if case:
            await answers.mount_all(_panel(case, voice) for voice in case.voices)
        self.query_one("#question", VerticalScroll).scroll_home(animate=False)
        self.call_after_refresh(self._reach_question)
        self.query_one("#keys", Static).update(review_text.keys(case, sitting))
        self._say(said)

    def _reach_question(self) -> None:
        """Tab comes by a question only if there is more of it than fits."""
        question = self.query_one("#question", VerticalScroll)
        question.can_focus = question.max_scroll_y > 0

    def _say(self, said: str, style: str = "dim italic") -> None:
        self.query_one("#said", Static).update(Text(said, style=style))


def _panel(case: Case, voice: Voice) -> VerticalScroll:
    shown = Static(Text(clean(voice.reasoning) or "(nothing that could be read)"))
    answer = visible(voice.answer or "no answer")
    panel = VerticalScroll(shown, classes="voice", can_focus=True)
    panel.border_title = Text.assemble(visible(voice.teacher), ": ", (answer, "bold")).markup
    if voice.answer is None:
        panel.add_class("silent")
    elif voice.answer == case.leading:
        panel.add_class("leads")
    return panel
