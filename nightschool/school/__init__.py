"""The school: four topics whose questions are generated, solved and checked exactly."""

from nightschool.school.examiner import TOPICS, check, generate, held_out, normalise, right_choice, same
from nightschool.school.puzzle import Check, Malformed, Puzzle, Status, Topic, Unsolvable

__all__ = [
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
