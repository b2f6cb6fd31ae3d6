"""From a question to a solution in free text that ends in a boxed answer: right as often as scripted."""

from __future__ import annotations

import random

_OPENINGS = ("Let us look at what is given.", "We begin with what is known.", "Name the unknown first.")
_STEPS = (
    "Write the condition as an equation and collect its terms.",
    "Both sides can be divided by the common factor.",
    "Put this back into the first relation.",
    "The remaining case is symmetric, so it adds nothing.",
    "Simplify, and check the sign.",
    "Only one of the two roots fits the question.",
)


def solve(right: str, share: float, rng: random.Random, *, stated: bool = False) -> str:
    """One solution; the right one at the given share, else a near miss, the same few for the same answer.

    Args:
        stated: it also says how sure it is.
    """
    said = right if rng.random() < share else _near(right, rng)
    steps = " ".join(rng.sample(_STEPS, rng.randint(2, len(_STEPS))))
    solution = f"{rng.choice(_OPENINGS)} {steps} Therefore the answer is $\\boxed{{{said}}}$."
    return f"{solution}\nConfidence: {rng.randint(50 if said == right else 20, 100)}%" if stated else solution


def _near(right: str, rng: random.Random) -> str:
    try:
        return str(int(right) + rng.choice((-2, -1, 1, 10)))
    except ValueError:
        return rng.choice((f"2({right})", f"-({right})", "0", "1"))
