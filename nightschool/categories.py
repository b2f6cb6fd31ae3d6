"""From a problem to its category: as its file says, else by the words in it."""

from __future__ import annotations

import re
from typing import Literal

Category = Literal["algebra", "arithmetic", "combinatorics", "geometry"]
CATEGORIES: tuple[Category, ...] = ("algebra", "arithmetic", "combinatorics", "geometry")

# What other collections call them; MATH's number theory is about whole numbers and their digits, remainders, divisors.
_CALLED: dict[str, Category] = {
    "algebra": "algebra", "intermediate algebra": "algebra", "precalculus": "algebra", "functions": "algebra",
    "arithmetic": "arithmetic", "prealgebra": "arithmetic", "number theory": "arithmetic",
    "combinatorics": "combinatorics", "counting & probability": "combinatorics", "probability": "combinatorics",
    "counting and probability": "combinatorics", "geometry": "geometry",
}  # fmt: skip
# By how much a word speaks for a category; of equals the first category in this order wins.
_WORDS: dict[Category, dict[int, str]] = {
    "geometry": {
        3: (
            r"triang|circle|polygon|hexagon|pentagon|octagon|quadrilateral|trapezoid|parallelogram|rhombus|rectang"
            r"|perimeter|\bradi(?:us|i)\b|diameter|circumference|hypotenuse|altitude|perpendicular|\bchord\b"
            r"|tangent to|\bcone\b|cylinder|sphere|prism|pyramid|\bangles?\b|\\angle|\\triangle|bisector|\barcs?\b"
            r"|inscribed|circumscribed|\bcubes?\b|\[asy\]"
        ),
        2: (
            r"\barea\b|\bvolume\b|\bsides\b|\bdegrees\b|\^\\circ"
            r"|\bsquare (?:unit|feet|inch|centi|meter|with|of side)|\bdiagonals?\b|\bvertices\b"
        ),
    },
    "combinatorics": {
        3: (
            r"probabilit"
            r"|how many (?:different |distinct |possible )*(?:ways|arrangements|outcomes|combinations|committees"
            r"|paths|subsets|permutations|words|routes|teams|sequences)"
            r"|in how many|\bdice\b|\bdie\b|\bcoins?\b|\bcards?\b|at random|randomly|\bbinom|expected value"
            r"|\barrange|committee|\bchoose\b|\bchosen\b|permutation|\\dbinom"
        ),
        2: (
            r"\bhow many\b.{0,80}\bif\b|\bdistinct\b|\bballs?\b|\bmarbles?\b|\bselect|\brows?\b|\bpeople\b"
            r"|\bstudents\b|\bteams?\b|!"
        ),
    },
    "algebra": {
        3: (
            r"\bpolynomial|\bquadratic|\broots?\b|\\log|\bfunction|\bf\s*\(|\bgraph\b|\basymptote|\bparabola"
            r"|\bfactor(?:ed|ize)\b|factor (?:the|\$)|solve for|\binverse\b|\bcomplex number|\\cos|\\sin|\\tan"
            r"|\bvectors?\b|\bmatri|\\begin\{pmatrix\}|\bellipse|hyperbola|real numbers? \$?[a-z]|simplify"
            r"|\bslope\b|geometric s|arithmetic s"
        ),
        2: r"\bequations?\b|\bexpression|\bsequence|\bvalues? of \$[a-z]\$|\bline\b",
        1: r"[a-z]\^|\d[a-z]\b|\$[a-z]\$|\(x\)|\bsolutions?\b|\\sqrt|\binterval",
    },
    "arithmetic": {
        3: (
            r"remainder|divisors?\b|divisible|\bprimes?\b|\bdigits?\b|multiples?\b|\bmod(?:ulo)?\b|\\pmod|\bgcd\b"
            r"|\blcm\b|greatest common|least common|common factor|\bfactors?\b|\bcongruen|\bbase\s+\$?\d|_\{?\d"
            r"|\bcents?\b|\\%|percent|\bmiles?\b|\bdollars?\b|\baverage\b|\bmedian\b|\bhours?\b|\bminutes?\b"
            r"|\bround"
        ),
        2: r"\bintegers?\b|\bcompute\b|\bcost|\bpounds?\b|\bfeet\b|\binches\b|\bevaluate\b",
    },
}
_MARKS: dict[Category, list[tuple[int, re.Pattern[str]]]] = {
    category: [(weight, re.compile(text, re.IGNORECASE)) for weight, text in words.items()]
    for category, words in _WORDS.items()
}
_MOST_CHARS = 4_000


def category_of(problem: str, topic: str = "") -> Category:
    """One of the four, for a choice of examples: by the file's own word for it if that is known, else by the text.

    On 11,974 problems of MATH the words alone agree with the file on 71% (benchmarks/problems.py).

    Source: plan 003, "Few-shot examples for: algebra, arithmetic, combinatorics, geometry".
    """
    called = _CALLED.get(" ".join(topic.casefold().replace("_", " ").split()))
    if called is not None:
        return called
    text = problem[:_MOST_CHARS]
    scores: dict[Category, int] = {
        category: sum(weight * len(set(found.findall(text))) for weight, found in marks)
        for category, marks in _MARKS.items()
    }
    best: Category = max(scores, key=scores.__getitem__)
    return best if scores[best] else "arithmetic"
