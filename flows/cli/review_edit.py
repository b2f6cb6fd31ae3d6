"""The form over a row in which an answer and its reasoning are written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from nightschool.report.text import visible
from nightschool.review import Case, canonical

_STYLE = """
Edit { align: center middle; }
#form { width: 90%; max-width: 110; height: 90%; border: round $primary; padding: 0 1; background: $surface; }
#form Input { background: $background; margin-bottom: 1; }
#form TextArea { height: 1fr; border: none; padding: 0; background: $background; margin-bottom: 1; }
#form .label { height: 1; color: $text-muted; }
#wrong { height: auto; max-height: 3; }
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """What was written."""

    answer: str
    reasoning: str
    note: str


class Edit(ModalScreen[bool]):
    """Asks for answer, reasoning and a note; stays until they can be taught, or Escape."""

    CSS = _STYLE
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", priority=True),
        Binding("escape", "leave", "back", priority=True),
    ]

    def __init__(self, case: Case, answer: str, why: str, save: Callable[[Draft], Awaitable[str | None]]) -> None:
        super().__init__()
        self._case, self._answer, self._why, self._save = case, answer, why, save

    def compose(self) -> ComposeResult:
        options = ", ".join(visible(option) for option in self._case.options)
        with Vertical(id="form") as form:
            form.border_title = "edit"
            yield Static(Text(f"Answer ({options[:200]})"), classes="label")
            yield Input(visible(self._answer), id="answer", compact=True)
            yield Static(
                Text("Reasoning, as the student is to learn it: an answer brings its teacher's"), classes="label"
            )
            yield TextArea(self._own, id="reasoning", show_line_numbers=False, tab_behavior="focus")
            yield Static(Text("Note, for people"), classes="label")
            yield Input(id="note", compact=True)
            yield Static(Text(self._why, style="bold yellow"), id="wrong")
            hints = (("Ctrl-S", "bold cyan"), " save   ", ("Tab", "bold cyan"), " next field   ", ("Esc", "bold cyan"))
            yield Static(Text.assemble(*hints, " back"), id="how")

    def on_mount(self) -> None:
        self.query_one("#reasoning" if self._answer else "#answer").focus()

    @property
    def _own(self) -> str:
        return visible(self._case.reasoning_for(self._answer))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another answer brings its teacher's words, unless the person has written some."""
        area = self.query_one("#reasoning", TextArea)
        answer = canonical(self._case, event.value)
        if event.input.id == "answer" and answer not in (None, self._answer) and area.text == self._own:
            self._answer = answer
            area.text = self._own

    async def action_save(self) -> None:
        written = self.query_one("#reasoning", TextArea).text
        # Left as it was shown: the teacher's own words are taken, whatever had to be made visible in them.
        reasoning = self._case.reasoning_for(self._answer) if written == self._own else written
        draft = Draft(self.query_one("#answer", Input).value, reasoning, self.query_one("#note", Input).value)
        wrong = await self._save(draft)
        if wrong:
            self.query_one("#wrong", Static).update(Text(wrong, style="bold red"))
        else:
            self.dismiss(True)

    def action_leave(self) -> None:
        self.dismiss(False)
