"""What verl's custom_reward_function takes for critiques: 1.0 for the judgement that is due, else 0.0.

A file of its own, which needs nothing beside it: an export of critiques for verl has a copy.
"""

from __future__ import annotations

import re
from typing import Any

# After what was thought, and with or without the brackets, bold letters or boxes that models put around a word.
_SAID = re.compile(r"conclusion\W{0,8}(?:\\(?:boxed|text|textbf)\W{1,2}){0,2}(right|wrong)\b", re.IGNORECASE)


def compute_score(data_source: str, solution_str: str, ground_truth: str, extra_info: Any = None, **_: Any) -> float:
    """Whether the last conclusion that a reply states is the one that is due; a reply without any is not.

    The prompt itself says "Conclusion: right/wrong", which no reply's conclusion is.
    """
    said = solution_str.rpartition("</think>")[2]
    found = [match[1].lower() for match in _SAID.finditer(said) if said[match.end() : match.end() + 1] != "/"]
    return float(bool(found) and found[-1] == ground_truth.strip().lower())
