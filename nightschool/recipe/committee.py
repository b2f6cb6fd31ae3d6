"""Recipe section of the committee: how votes are counted, what outranks them, and who looks at what they leave open."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from nightschool.committee import Confidence, Terms, Undecided
from nightschool.recipe.phases import Answers, Pool
from nightschool.recipe.section import Clash, Positive, Section, Share
from nightschool.reliability import Reliability
from nightschool.voting import Rule, Strategy, Ties

Verifier = Literal["solver", "truth", "none"]

_BY_CONFIDENCE = ("confidence_weighted", "max_confidence", "median_confidence")
_TOLERANCE = 0.01


class Committee(Section):
    """Which answer is right: votes, an exact check where there is one, and a person for what they leave open.

    Source: plans 001 to 003; plan-errors names what they left open: ties, abstentions, empty votes.
    """

    strategy: Strategy = Field(
        default="majority",
        description="how votes make an answer: majority = most votes; confidence_weighted, max_confidence, "
        "median_confidence = the most confidence, its sum, its peak, its median; unanimous = all the same, else "
        "`fallback`; numeric_average = the mean of numbers near their median; reliability = votes weighted by how "
        "often each teacher is right, learned from the votes of the whole night",
    )
    voters: Literal["teachers", "samples"] = Field(
        default="teachers", description="teachers = one vote each, from its samples; samples = every sample has a vote"
    )
    confidence: Confidence = Field(
        default="votes",
        description="where a vote's confidence comes from: votes = the share of a teacher's samples behind it; "
        "logprobs = the geometric mean of its tokens' probabilities, from the server; stated = a number that the "
        "teacher gives, as the prompt must ask: `confidence` in its JSON, a line `Confidence: 85%` in free text",
    )
    consensus: Share = Field(
        default=0.0, description="least share of a teacher's own samples behind its answer, else it abstains"
    )
    ties: Ties = Field(
        default="none", description="none = a tie decides nothing; first = the shortest answer, then by the alphabet"
    )
    fallback: Literal["majority", "confidence_weighted", "none"] = Field(
        default="majority", description="how `unanimous` counts votes that differ; none = they decide nothing"
    )
    tolerance: float = Field(
        default=_TOLERANCE, ge=0, description="for numeric_average: how far from the median, as a share of it"
    )
    quorum: Positive | None = Field(
        default=None, description="least number of cast votes; by default 2, or 1 where there is one voter"
    )
    min_agreement: float = Field(default=0.6, gt=0, le=1, description="least share of cast votes for the winner")
    min_confidence: Share = Field(
        default=0.0, description="least confidence of an answer: the mean of the votes behind it; under the strategy "
        "reliability, how likely it is to be right",
    )  # fmt: skip
    verifier: Literal["auto", "solver", "truth", "none"] = Field(
        default="auto",
        description="an exact check that outranks any vote: solver = the school's; truth = the file's answer; "
        "auto = whichever there is",
    )
    minority: Literal["accept", "reject"] = Field(
        default="accept",
        description="what becomes of a question that the votes get wrong and somebody right, by the verifier: accept "
        "= the right answer is taught; reject = it is dropped as against_truth",
    )
    to_review: tuple[Undecided, ...] = Field(
        default=(), description="reasons that a person looks at, instead of the row being rejected"
    )
    reject_below: Share = Field(default=0.0, description="agreement below which a person need not look either")

    @model_validator(mode="after")
    def _hangs_together(self) -> Committee:
        if self.tolerance != _TOLERANCE and self.strategy != "numeric_average":
            raise Clash("only numbers that are averaged have a tolerance", "tolerance",
                        allowed="leave it out, or strategy: numeric_average")  # fmt: skip
        if self.fallback != "majority" and self.strategy != "unanimous":
            raise Clash("only unanimous has a fallback", "fallback", allowed="leave it out, or strategy: unanimous")
        if self.voters == "samples" and self.strategy == "reliability":
            raise Clash("a teacher's samples are not independent of each other, as reliability has it", "voters",
                        allowed="teachers")  # fmt: skip
        if self.voters == "samples" and self.consensus:
            raise Clash("consensus makes one vote of a teacher's samples", "consensus",
                        allowed="0, or voters: teachers")  # fmt: skip
        if self.reject_below and not self.to_review:
            raise Clash("nothing goes to a person: to_review is empty", "reject_below", allowed="0, or to_review")
        return self


def verifier_of(section: Committee, answers: Answers, pool: Pool) -> Verifier:
    """What outranks the votes, with `auto` resolved."""
    if section.verifier != "auto":
        return section.verifier
    if answers.reply == "letter" and pool.file is None:
        return "solver"
    return "truth" if _has_truth(answers, pool) else "none"


def voters_of(section: Committee, answers: Answers, teachers: int) -> int:
    """How many votes a question can get."""
    return teachers * (answers.samples if section.voters == "samples" else 1)


def quorum_of(section: Committee, answers: Answers, teachers: int) -> int:
    """Least number of cast votes."""
    return section.quorum or min(2, voters_of(section, answers, teachers))


def terms_of(section: Committee, *, quorum: int, seed: int, reliability: Reliability | None = None) -> Terms:
    """The section as the rule takes it; `reliability` is for the strategy of that name."""
    fallback = None if section.fallback == "none" else section.fallback
    return Terms(
        rule=Rule(section.strategy, section.ties, fallback, section.tolerance, reliability),
        quorum=quorum,
        min_agreement=section.min_agreement,
        min_confidence=section.min_confidence,
        consensus=section.consensus,
        voters=section.voters,
        confidence=section.confidence,
        minority=section.minority,
        to_review=section.to_review,
        reject_below=section.reject_below,
        seed=seed,
    )


def check(section: Committee, answers: Answers, pool: Pool, teachers: int) -> None:
    """That a committee can do with this night's answers what its section says.

    Raises:
        Clash: it can't; names the field to edit.
    """
    if answers.reply == "text" and answers.value == "none":
        if section != Committee():
            raise Clash("no value is read out of the solutions, so there is nothing to vote on", "committee",
                        allowed="leave it out, or give answers.value")  # fmt: skip
        return
    voters = voters_of(section, answers, teachers)
    if section.quorum and section.quorum > voters:
        who = "teachers" if section.voters == "teachers" else "voters"
        message = f"{section.quorum} is more than the {voters} {who} there are"
        raise Clash(message, "committee", "quorum", allowed=f"1 to {voters}")
    _can_be_sure(section, answers)
    _can_be_verified(section, answers, pool)
    if section.strategy == "numeric_average" and answers.value not in ("integer", "number", "latex"):
        raise Clash("only numbers can be averaged", "committee", "strategy",
                    allowed="another, or answers.value: integer, number, latex")  # fmt: skip


def _can_be_sure(section: Committee, answers: Answers) -> None:
    alone = answers.samples == 1
    if section.consensus and alone:
        raise Clash("one sample always agrees with itself", "committee", "consensus", allowed="0, or answers.samples")
    if section.confidence == "stated" and "confidence" not in f"{answers.prompt.system}{answers.prompt.user}".lower():
        raise Clash("the prompt does not ask for a confidence", "answers", "prompt",
                    allowed="one that asks for it, or committee.confidence: votes, logprobs")  # fmt: skip
    if section.confidence == "stated" and answers.fallback == "last_number":
        raise Clash("the last number of a solution may be its confidence", "answers", "fallback",
                    allowed="none, or committee.confidence: votes, logprobs")  # fmt: skip
    if section.confidence != "votes" or not (alone or section.voters == "samples"):
        return
    weighs = section.strategy in _BY_CONFIDENCE or section.fallback in _BY_CONFIDENCE
    if weighs or (section.min_confidence and section.strategy != "reliability"):
        field = "strategy" if weighs else "min_confidence"
        raise Clash("a single sample is as confident as any other: its share of itself is 1", "committee", field,
                    allowed="answers.samples above 1 with voters: teachers, or another confidence")  # fmt: skip


def _can_be_verified(section: Committee, answers: Answers, pool: Pool) -> None:
    if section.verifier == "solver" and (answers.reply == "text" or pool.file is not None):
        raise Clash("the solver reads the school's own questions with four choices", "committee", "verifier",
                    allowed="auto, truth, none")  # fmt: skip
    if section.verifier == "truth" and not _has_truth(answers, pool):
        raise Clash("no answers are known: the pool has no file, or pool.fields no answer", "committee", "verifier",
                    allowed="auto, none, or pool.fields.answer")  # fmt: skip


def _has_truth(answers: Answers, pool: Pool) -> bool:
    return pool.has_truth and (answers.reply == "letter" or answers.value != "none")
