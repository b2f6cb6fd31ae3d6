"""The rows that wait, one after the other, on a terminal: keys only, and every decision on file at once."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, HorizontalScroll, VerticalScroll
from textual.events import Key
from textual.widgets import ProgressBar, Static

from flows.cli.review_edit import Draft, Edit
from nightschool.records import LETTERS
from nightschool.report.text import clean, plain, visible
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
#question { height: auto; max-height: 45%; padding: 1 2 0 2; }
#answers { height: 1fr; }
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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "accept", priority=False),
        Binding("e", "edit", "edit"),
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
        answer = _chosen(case, event.character or "")
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
        if self.sitting.case is None and self.sitting.left:
            review.let_go(self.sitting.night)
            self.exit()

    async def _choose(self, answer: str) -> None:
        case = self.sitting.case
        assert case is not None
        if not case.reasoning_for(answer):
            self._edit(case, answer, f"No teacher argues for {answer}: write why it is right.")
            return
        made = self.sitting.decide(answer)
        await self._show(f"{_ACTIONS[made.action].capitalize()}: {_named(case, answer)}")

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
        self.query_one("#title", Static).update(Text.assemble("review of ", (sitting.night.name, "bold")))
        self.query_one("#standing", Static).update(_standing(sitting))
        self.query_one("#bar", ProgressBar).update(progress=sitting.total - sitting.left)
        asked = _question(case) if case else _end(sitting)
        self.query_one("#asked", Static).update(asked)
        self.screen.set_focus(None)
        answers = self.query_one("#answers", HorizontalScroll)
        await answers.remove_children()
        if case:
            await answers.mount_all(_panel(case, voice) for voice in case.voices)
        self.query_one("#question", VerticalScroll).scroll_home(animate=False)
        self.query_one("#keys", Static).update(_keys(case, sitting))
        self._say(said)

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


def _standing(sitting: Sitting) -> Text:
    done = sitting.total - sitting.left
    eta = f", about {_about(sitting.eta_s)} to go" if sitting.eta_s and sitting.left else ""
    return Text(f"{done} of {sitting.total} decided{eta}")


def _question(case: Case) -> Text:
    """Topic, question, and every answer with its key and who gave it."""
    ruling = case.ruling
    about = [Text(visible(plain(ruling.question.topic)), "bold magenta"), Text(plain(ruling.reason or ""), "dim")]
    text = Text("  ").join(part for part in about if part).append("\n")
    text.append(f"{clean(ruling.question.question)}\n", "bold")
    for place, answer in enumerate(case.options):
        who = [visible(voice.teacher) for voice in case.voices if voice.answer == answer]
        text.append(f"\n {_key(case, place)} ", "bold reverse" if answer == case.leading else "bold cyan")
        text.append(f" {_named(case, answer)}")
        text.append(f"   {', '.join(who)}" if who else "", "green")
    return text


def _named(case: Case, answer: str) -> str:
    """An answer with its choice's text, on one line."""
    choices = dict(zip(LETTERS, case.ruling.question.choices, strict=False))
    shown = f"{answer}) {choices[answer]}" if answer in choices else answer
    return " ".join(visible(shown).split())


def _key(case: Case, place: int) -> str:
    option = case.options[place]
    return option[0] if option in LETTERS or case.kind == "yes_no" else str(place + 1) if place < 9 else " "


def _chosen(case: Case, character: str) -> str | None:
    keys = {_key(case, place).lower(): option for place, option in reversed(list(enumerate(case.options)))}
    return keys.get(character.lower()) if character.strip() else None


def _keys(case: Case | None, sitting: Sitting) -> Text:
    if case is None:
        again = [("s", "see the skipped again"), ("g", "let the night go on without them")] if sitting.left else []
        return _hints([*again, ("u", "undo"), ("q", "quit")])
    leading = [("Enter", f"accept {visible(case.leading)[:20]}")] if case.leading else []
    used = [_key(case, place) for place in range(min(9, len(case.options)))]
    choose = [(f"{used[0]}-{used[-1]}" if len(used) > 2 else "/".join(used), "choose")] if used else []
    rest = [("e", "edit"), ("r", "reject"), ("s", "skip"), ("u", "undo"), ("Tab", "scroll"), ("q", "quit")]
    return _hints([*leading, *choose, *rest])


def _hints(keys: list[tuple[str, str]]) -> Text:
    # A hint is not broken in two.
    space = "\N{NO-BREAK SPACE}"
    hints = (Text.assemble((key, "bold cyan"), space, what.replace(" ", space)) for key, what in keys)
    return Text("  ").join(hints)


def _end(sitting: Sitting) -> Text:
    name, count = f"{sitting.night.name}{sitting.night.flags}", len(sitting.decisions)
    head = f"{sitting.left} rows are still open." if sitting.left else "All rows are decided."
    text = Text.assemble((head, "bold"), f"\n\n{count} decided in this sitting.\n\n")
    if not sitting.night.running:
        return text.append("The night takes them in when it is run again:\n\n").append(
            f"  nightschool rerun {name}\n", "bold cyan"
        )
    return text if sitting.left else text.append("The night, if it waits, goes on by itself.")


def _about(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 59.5 else f"{seconds / 60:.0f} min"
