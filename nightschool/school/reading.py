"""From a question's text to the single statements that a topic reads, tolerant of form and strict about content."""

import re
import unicodedata

from nightschool.school.puzzle import MAX_QUESTION_CHARS, Malformed

NAME = r"([^\W\d_]{1,20})"
MAX_STATEMENTS = 20
_BREAKS = re.compile(r"[.,;:?!\n\r]+")
_BULLET = re.compile(r"^(?:\(?\d{1,2}\)|[-*•])\s*")
_LEAD = re.compile(
    r"^(?:(?:given|say|suppose|assume|if|and|also|but|then|that|now|statements?|premises?|clues?|facts?|question)\b\s*)+",
    re.IGNORECASE,
)


def tidy(question: str) -> str:
    """Plain characters, and one space where there were several.

    Raises:
        Malformed: empty, or longer than `MAX_QUESTION_CHARS`.
    """
    if len(question) > MAX_QUESTION_CHARS:
        raise Malformed(f"longer than {MAX_QUESTION_CHARS} characters")
    text = unicodedata.normalize("NFKC", question).replace("\u2019", "'")[:MAX_QUESTION_CHARS]
    if not text.strip():
        raise Malformed("empty")
    return re.sub(r"[^\S\n]+", " ", text)


def statements(text: str) -> list[str]:
    """Split into statements: no bullets, numbering, opening words (`Given that`, `Suppose`) or punctuation.

    Raises:
        Malformed: nothing there, or more than `MAX_STATEMENTS`.
    """
    pieces = [" ".join(_BULLET.sub("", piece.strip()).split()) for piece in _BREAKS.split(text)]
    found = [bare for piece in pieces if not piece.isdigit() and (bare := _LEAD.sub("", piece))]
    if not 0 < len(found) <= MAX_STATEMENTS:
        raise Malformed(f"{len(found)} statements")
    return found


def unreadable(statement: str) -> Malformed:
    return Malformed(f"cannot read {statement[:60]!r}")
