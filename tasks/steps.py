"""All steps by phase, in the order of the night."""

from __future__ import annotations

from tasks import answers, balance, committee, dpo, merge, pairs, pool, questions, school, sft, timing, validate
from tasks.step import Step

ORDER = (school, questions, pool, answers, merge, committee, balance, sft, pairs, dpo, validate, timing)

STEPS: dict[str, Step] = {module.STEP.phase: module.STEP for module in ORDER}
