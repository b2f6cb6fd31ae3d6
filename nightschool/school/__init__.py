"""The school: four topics whose questions are generated, solved and checked exactly."""

from nightschool.school.examiner import TOPICS, generate, held_out, normalise
from nightschool.school.puzzle import Check, Malformed, Puzzle, Status, Topic, Unsolvable

__all__ = ["TOPICS", "Check", "Malformed", "Puzzle", "Status", "Topic", "Unsolvable", "generate", "held_out", "normalise"]
