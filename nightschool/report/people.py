"""From what people decided to a sentence."""

from __future__ import annotations

from nightschool.report.proof import People
from nightschool.report.text import visible

DID = {"accept": "accepted", "choose": "answered otherwise", "edit": "edited", "reject": "rejected"}


def reviewed(found: People) -> str:
    """ "16 rows decided (9 accepted, 7 rejected) by ada 12, bob 4; 4 wait"."""
    total = sum(found.actions.values())
    waiting = f"{found.waiting:,} wait for a person" if found.waiting else "none waits"
    if not total:
        return waiting
    did = ", ".join(f"{found.actions[action]:,} {words}" for action, words in DID.items() if action in found.actions)
    by = ", ".join(
        f"{visible(who)} {count:,}" for who, count in sorted(found.by.items(), key=lambda one: (-one[1], one[0]))
    )
    return f"{total:,} decided ({did}) by {by}; {waiting}"
