"""From any text and number to what a person may safely and easily read."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARS = 4_000
_NOTE_ROOM = 80

# Control characters except tab and newline, lone surrogates, and whatever reorders or hides the text around it.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
_MARKS_IN_A_ROW = 4


def visible(text: str) -> str:
    """Characters that hide or reorder text are written out as ⟨U+202E⟩; piles of combining marks are thinned."""
    shown: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MARKS_IN_A_ROW:
            shown.append(_UNSAFE.sub(lambda found: f"⟨U+{ord(found.group()):04X}⟩", char))
    return "".join(shown)


def clean(text: str) -> str:
    """What every text of a report goes through when it is made: visible, and cut with a note of its whole length.

    A text that went through once comes out unchanged: the note has room of its own beyond the limit.
    """
    longest = MAX_CHARS + _NOTE_ROOM
    shown = visible(text[:longest])
    if len(text) <= longest and len(shown) <= longest:
        return shown
    return f"{shown[:MAX_CHARS]} … (cut here: {len(text):,} characters in all)"


def percent(share: float, digits: int = 1) -> str:
    """0.4823 is 48.2%."""
    return f"{100 * share:.{digits}f}%"


def points(gain: float) -> str:
    """A difference of two shares in percentage points, with its sign: 0.219 is +21.9."""
    return f"{100 * gain:+.1f}".replace("-", "\N{MINUS SIGN}")


def probability(p: float | None) -> str:
    """A test's p to three digits, held together where lines break: 0.0312 is 0.031; nothing for none."""
    return "" if p is None else "<\N{NO-BREAK SPACE}0.001" if p < 0.001 else f"{p:.3f}"


def duration(seconds: float) -> str:
    """As a person says it, three figures at most: 0.042 s, 8.1 s, 3 min 20 s, 2 h 05 min."""
    if seconds < 0.9995:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + " s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(count: float) -> str:
    """Bytes in binary units: 1610612736 is 1.5 GiB."""
    for unit in ("B", "KiB", "MiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def plain(name: str) -> str:
    """A name of the code as words: blood_relations is blood relations."""
    return name.replace("_", " ")
