"""The figures of ablations: a stage with its drafts, and with something else in their place."""

from __future__ import annotations

from nightschool.recipe.ablate import Variant
from nightschool.report.estimates import counted, gained, spoken
from nightschool.report.proof import Estimate, Figure, Gain
from nightschool.report.text import percent, plain

AS_IS = "its draft"


class Shown(Figure):
    """The held-out questions with something else in the draft's place; `change` is over the same with the draft."""

    variant: Variant
    right: Estimate
    change: Gain | None


class Attribution(Figure):
    """Where integrated gradients put the answers of a stage: mean shares over `questions`, with their 95% intervals.

    `own` lies on the question's own draft, `shuffled` on another's in its place, `tokens` is the draft's share of the
    tokens (`words`: with its interval). `lost`: rows without a share, by reason. Of all rows, own and shuffled:
    `complete` is the share whose attributions add up within 5%, `worst` the largest error among those, `steps` the most
    that were taken.
    """

    questions: int
    own: Estimate
    shuffled: Estimate | None
    tokens: float
    words: Estimate | None = None
    apart: Gain | None
    complete: Estimate
    worst: float
    steps: int
    lost: dict[str, int] = {}

    @property
    def told(self) -> str:
        """The shares in a sentence: against the tokens, and against another question's draft."""
        other = ""
        if self.shuffled and self.apart:
            more = "more on its own" if self.apart.value > 0 else "more on that one"
            says = more if self.apart.significant else "no significant difference"
            other = f"; on another question's draft {counted(self.shuffled)}: {gained(self.apart)} points, {says}"
        words = spoken(self.words) or percent(self.tokens)
        where = f"the draft, which is {words} of the words{other}"
        return f"{counted(self.own)} of what decides the answer lies on {where}"

    @property
    def checked(self) -> str:
        """How far the attributions can be trusted."""
        lost = "".join(f"; {count} {plain(reason)}" for reason, count in self.lost.items())
        rows = f"{spoken(self.complete)} of {self.complete.n:,} rows add up within 5%"
        how = f"at worst {percent(self.worst)} off, {self.steps:,} steps at most"
        return f"Integrated gradients from the mean embedding: {rows} ({how}){lost}."


class Ablation(Figure):
    """A stage that is shown drafts of `drafter`: `as_is`, and with other drafts or none on the same rows; `baselines`:
    what guessing reaches on these."""

    stage: str
    drafter: str
    as_is: Estimate
    shown: tuple[Shown, ...]
    baselines: dict[str, Estimate] = {}
    attribution: Attribution | None = None

    @property
    def told(self) -> str:
        """In a sentence, whether the draft is used."""
        if any(one.change and one.change.significant for one in self.shown):
            return f"What {self.stage} answers depends on its draft."
        return f"No effect of the draft on {self.stage} was found."


class Drafts(Figure):
    """How often the drafts that are shown are right: on the rows that are learned from, and on the held-out ones.

    A drafter that has learned the same rows knows them better than any other: its drafts give the answer away in
    training as they never will again, and no comparison of prompts can see it.
    """

    drafter: str
    taught: Estimate
    held_out: Estimate

    @property
    def too_good(self) -> bool:
        """Whether they are measurably better where they are learned from."""
        return self.taught.low > self.held_out.high

    @property
    def told(self) -> str:
        """Both shares, and what follows if they are too far apart."""
        shares = [counted(one) for one in (self.taught, self.held_out)]
        line = f"drafts of {self.drafter} are right on {shares[0]} of what is learned from, on {shares[1]} held out"
        return f"{line}: who is shown them learns to trust them more than they deserve" if self.too_good else line
