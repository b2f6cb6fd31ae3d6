"""Makes the models of one run: `python -m nightschool.tinymodels RUN.json OUT_DIR`.

Prints a JSON line per progress step; ends with 1 and a line on stderr if the world fails, with 2 if the run can't be
read. A model's folder appears whole or not at all.
"""

import json
import os
import sys
from pathlib import Path

from pydantic import ValidationError

os.environ["OMP_NUM_THREADS"] = "1"  # two threads collapse as soon as anything else runs
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from nightschool.errors import NightError
from nightschool.tinymodels.spec import Run


def main(arguments: list[str]) -> int:
    """Make the models; the exit code."""
    if len(arguments) != 2:
        return _refuse("usage: python -m nightschool.tinymodels RUN.json OUT_DIR", code=2)
    run_file, out_dir = map(Path, arguments)
    try:
        run = Run.model_validate_json(run_file.read_bytes())
    except (OSError, ValidationError) as err:
        return _refuse(f"{run_file}: {str(err).splitlines()[0]}", code=2)
    from nightschool.tinymodels.making import make  # ten seconds of imports: only now

    try:
        for line in make(run, out_dir):
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
    except (OSError, RuntimeError, NightError) as err:
        return _refuse(f"making {', '.join(run.models)} failed: {' '.join(str(err).split())[:500]}", code=1)
    return 0


def _refuse(reason: str, *, code: int) -> int:
    sys.stderr.write(reason + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
