"""One person's sitting over the rows that wait: where it stands, what was decided, and the way back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from blocks.decisions import Decisions
from nightschool.review import Case, Decision, decide
from tasks import review
from tasks.cases import cases
from tasks.night import Night


class Sitting:
    """The rows that wait, one after the other. Every decision is on file before the next row is shown.

    What others decide meanwhile is not asked again; a row that is skipped is asked again after the last one. In a
    `spot_check` the rows are taught already, and it is asked whether they may be.
    """

    def __init__(
        self, night: Night, who: str, waiting: Sequence[Case] | None = None, *, spot_check: bool = False
    ) -> None:
        self.night, self.who, self.spot_check = night, who, spot_check
        self._file = Decisions(night.store)
        self._cases = list(cases(night) if waiting is None else waiting)
        self._place = 0
        self._back: list[tuple[int, Decision | None]] = []
        self._began = time.monotonic()
        self.total = len(self._cases)
        self._done = self._settled()

    @property
    def case(self) -> Case | None:
        """The row to decide now; None if every row was decided or skipped."""
        return self._cases[self._place] if self._place < len(self._cases) else None

    @property
    def left(self) -> int:
        """Rows that nobody has decided."""
        return self.total - sum(case.content in self._done for case in self._cases)

    @property
    def decisions(self) -> list[Decision]:
        """What this person decided in this sitting, and did not undo."""
        return [decision for _, decision in self._back if decision]

    @property
    def eta_s(self) -> float | None:
        """Seconds for the rows that are left, at the pace so far; None before the third decision."""
        made = len(self.decisions)
        return (time.monotonic() - self._began) / made * self.left if made >= 3 else None

    def look(self) -> bool:
        """Passes over what others decided meanwhile; whether any row is left."""
        self._go_to(self._place)
        return self.left > 0

    def decide(self, answer: str | None, *, reasoning: str = "", note: str = "") -> Decision:
        """Puts a decision on the row on file and goes on; an answer of None rejects it.

        Raises:
            ValueError: it cannot be taught so; in words.
            WorldError: the store cannot be written; the row is still there.
        """
        case = self.case
        assert case is not None
        found = decide(
            case, answer=answer, reasoning=reasoning, note=note, who=self.who, when=_now(), night=self.night.name
        )
        self._file.add([found])
        self._step(found)
        return found

    def skip(self) -> None:
        """Leaves the row undecided and goes on."""
        self._step(None)

    def undo(self) -> bool:
        """Back to the row before, its decision withdrawn; False at the first row of the sitting."""
        if not self._back:
            return False
        place, decision = self._back[-1]
        if decision:
            gone = {"action": "withdraw", "answer": None, "reasoning": "", "note": "", "when": _now()}
            self._file.add([decision.model_copy(update=gone)])
        self._back.pop()
        self._place, self._done = place, self._settled()
        return True

    def again(self) -> None:
        """Begins once more with the rows that nobody has decided."""
        self._back.append((self._place, None))
        self._go_to(0)

    def _step(self, decision: Decision | None) -> None:
        self._back.append((self._place, decision))
        self._go_to(self._place + 1)

    def _go_to(self, place: int) -> None:
        self._place, self._done = place, self._settled()
        while self.case and self.case.content in self._done:
            self._place += 1

    def _settled(self) -> set[str]:
        return set(review.decided(self.night))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
