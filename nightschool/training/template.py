"""Whether a model's chat template can say what the rows have to say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from nightschool.errors import DataError
from nightschool.rendering import rendered
from nightschool.training.rows import TrainingRow


def check_template(rows: Sequence[TrainingRow], tokenizer: Any, *, file: Path) -> None:
    """See that each sequence of roles can be rendered, and that no system turn is dropped on the way.

    Raises:
        DataError: the template refuses a sequence of roles, or leaves a system turn out; names the first such row.
    """
    seen: set[tuple[str, ...]] = set()
    for line, row in enumerate(rows, start=1):
        roles = tuple(turn.role for turn in row.prompt)
        if roles in seen:
            continue
        seen.add(roles)
        mend = "put what the system turn says into the user's" if "system" in roles else "see its chat template"
        try:
            (whole,) = rendered(tokenizer, [row.prompt], opened=True)
            others = tuple(turn for turn in row.prompt if turn.role != "system")
            dropped = len(others) < len(roles) and others and rendered(tokenizer, [others], opened=True) == [whole]
        except TemplateError as error:
            says = f"the model's chat template refuses {', '.join(roles)}: {error}"
            raise DataError(f"row {row.id}: {says}; {mend}", file=file, line=line) from error
        if dropped:
            raise DataError(
                f"row {row.id}: the model's chat template leaves the system turn out; {mend}", file=file, line=line
            )
