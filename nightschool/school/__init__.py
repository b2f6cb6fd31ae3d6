"""The school: four topics whose questions are generated, solved and checked exactly."""

from nightschool.school.examiner import RULES_VERSION, TOPICS, check, generate, held_out, normalise, right_choice, same
from nightschool.school.puzzle import Check, Malformed, Puzzle, Status, Topic, Unsolvable

__all__ = [
    "RULES_VERSION",
    "TOPICS",
    "Check",
    "Malformed",
    "Puzzle",
    "Status",
    "Topic",
    "Unsolvable",
    "check",
    "generate",
    "held_out",
    "normalise",
    "right_choice",
    "same",
]
