"""From a metric that fell short to what may be tried, of that only what this night's recipe has a key for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nightschool.recipe.choosing import closed
from nightschool.recipe.committee import voters_of
from nightschool.recipe.filters import weighing

if TYPE_CHECKING:
    from nightschool.recipe.recipe import Recipe

_MORE = ("more rows (pool.per_topic)", "more rows (a higher pool.limit)", "more rows (a longer file)")
_SKILL = (*_MORE, "more epochs")
_VOTES = ("teachers that differ more", "answers.samples above 1", "a higher committee.min_agreement")
_CLASSES = ("balance.by with the field that is off", "balance.method: upsample")
_TIME = ("a smaller student.max_tokens", "a faster engine")
_CONTEST = (*_TIME, "a smaller student; the rows above the limit are listed below")
_ARENA = ("what the table of the arena shows: invalid questions, easy ones, or wrong answers",)

# Each metric's ways, the nearest first; a way that names a key is for recipes that have it, see `_KEYS`.
_WAYS: dict[str, tuple[str, ...]] = {
    "accuracy": (*_SKILL, "a stronger teacher"),
    "accuracy_gain": (*_SKILL, "more validate.seeds for a narrower interval"),
    "draft_gain": ("better drafts (the stage that writes them)", "more rows on which draft and answer differ"),
    "guessing_gain": ("balance.by: [answer], so that no answer is worth giving always", *_SKILL),
    "balanced_accuracy": ("balance.by: [answer]", "what the table of classes shows below"),
    "worst_class_accuracy": ("balance.by: [answer]", "what the table of what was said instead shows below"),
    "valid_share": (
        "a higher student.max_tokens",
        "what the sample rows below show: the prompt may not ask for the answer's format",
    ),
    **dict.fromkeys(("latency_mean_s", "latency_p99_s"), _TIME),
    "ttft_p99_s": ("a shorter prompt", "serve.enable_prefix_caching"),
    **dict.fromkeys(
        (f"{kind}_{what}" for kind in ("answers", "questions") for what in ("mean_s", "p99_s", "total_s", "late")),
        _CONTEST,
    ),
    **dict.fromkeys(("vote_gain", "vote_accuracy", "committee_gain"), _VOTES),
    "agreement": ("a look at the rows below: are they hard, or the prompt unclear?",),
    "abstentions": ("a higher answers.max_tokens", "what the dropped rows of answers show: is the format asked for?"),
    "accepted_share": (
        "teachers that are more often right", "a lower committee.min_agreement", "what the reasons in the table show"
    ),
    "kept_share": ("a look at the reasons in the table of rows: which step drops most?",),
    "taught_rows": (*_MORE, "a step that drops less"),
    "least_class_share": _CLASSES,
    "class_skew": _CLASSES,
    "contamination": ("splits.leaks: drop, and one splits.salt for all nights of a student",),
    "filter_skew": ("a filter that drops less", "a weight for what it drops (filters.NAME.weight)"),
    "match_wins": _ARENA,
    "knockout_wins": _ARENA,
    "stump_share": ("harder questions (levels, prompt); those that are invalid stump nobody",),
    "preference": ("the judges' table, which parts questions from their length and the order they are shown in",),
    "valid_questions": ("what the reasons in the table of the arena's questions show",),
    "spot_check": ("a higher committee.min_agreement", "a higher committee.quorum", "committee.to_review, for people"),
}  # fmt: skip


def _counts_rows(recipe: Recipe) -> bool:
    """Whether classes may be balanced by counting: not where some rows weigh less."""
    return recipe.rules and not weighing(recipe.filters)


def _may_weigh(recipe: Recipe) -> bool:
    by_count = recipe.balance is not None and recipe.balance.method in ("downsample", "upsample")
    heeded = all(stage.weighs for stage in recipe.dpo if stage.teaches == "answers")
    return bool(recipe.filters and recipe.filters.named) and not by_count and heeded


def _may_agree(recipe: Recipe) -> bool:
    """Whether there is more than one vote to a question."""
    return recipe.rules and voters_of(recipe.committee, recipe.answers, len(recipe.teachers)) > 1


def _quorum_may_grow(recipe: Recipe) -> bool:
    return recipe.rules and recipe.quorum < voters_of(recipe.committee, recipe.answers, len(recipe.teachers))


# By what a way names: whether a recipe has it.
_KEYS: dict[str, Callable[[Recipe], bool]] = {
    "pool.per_topic": lambda recipe: recipe.pool.file is None,
    "pool.limit": lambda recipe: recipe.pool.limit is not None,
    "longer file": lambda recipe: recipe.pool.file is not None and recipe.pool.limit is None,
    "validate.seeds": lambda recipe: recipe.validate_ is not None,
    "student.max_tokens": lambda recipe: recipe.student is not None,
    "serve.enable_prefix_caching": lambda recipe: recipe.serve.engine in ("auto", "vllm"),
    "answers.samples": lambda recipe: recipe.rules and recipe.answers.samples == 1,
    "answers.max_tokens": lambda recipe: True,
    "committee.min_agreement": _may_agree,
    "committee.quorum": _quorum_may_grow,
    "committee.to_review": lambda recipe: recipe.rules and not recipe.committee.to_review,
    "balance.by: [answer]": lambda recipe: _counts_rows(recipe) and closed(recipe.answers),
    "balance.by with": _counts_rows,
    "balance.method": lambda recipe: _counts_rows(recipe) and (recipe.balance is not None or closed(recipe.answers)),
    "splits.leaks": lambda recipe: recipe.rules,
    "filters.NAME.weight": _may_weigh,
}


def advice(metric: str, recipe: Recipe | None) -> str:
    """What to try where a metric falls short: ways that this recipe has, "a, b, or c".

    Args:
        recipe: None: not known, so no key is named.
    """
    ways = [way for way in _WAYS.get(metric, ()) if _fits(way, recipe)]
    *first, last = ways or ["a look at the figures below"]
    return f"{', '.join(first)}, or {last}" if first else last


def _fits(way: str, recipe: Recipe | None) -> bool:
    named = [has for key, has in _KEYS.items() if key in way]
    return all(recipe is not None and has(recipe) for has in named)
