"""A process that has a data set brought by the datasets library and prints where its rows lie."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

import datasets

CHOOSE, LOST = 2, 3


def main() -> None:
    """Arguments: the data set, its config, split and revision, each empty if it is not said.

    Exit codes: CHOOSE where a config or split has to be named, with the field and what there is on the standard output;
    LOST where nothing can be brought, with the reason on the error output.
    """
    name, config, split, revision = sys.argv[1:]
    try:
        found = datasets.load_dataset(name, config or None, revision=revision or None)
    except ValueError as err:
        _name_one("config", config, _configs(name, revision))
        sys.exit(_lost(err))
    except (OSError, RuntimeError) as err:  # what the library raises for no network, name, access
        sys.exit(_lost(err))
    _name_one("split", split, map(str, found))
    files = found[split or next(iter(found))].cache_files
    print(json.dumps([file["filename"] for file in files]))  # noqa: T201 - the answer to whoever started it


def _configs(name: str, revision: str) -> list[str]:
    try:
        return datasets.get_dataset_config_names(name, revision=revision or None)
    except (OSError, ValueError, RuntimeError):
        return []


def _name_one(field: str, said: str, there: Iterable[str]) -> None:
    """Ends the process if what is said is none of what there is, or nothing is said and there are several."""
    allowed = list(there)
    if allowed and said not in allowed and (said or len(allowed) > 1):
        print(json.dumps([field, allowed]))  # noqa: T201
        sys.exit(CHOOSE)


def _lost(why: Exception) -> int:
    lines = str(why).strip().splitlines() or ["no reason was given"]
    print(lines[0].rstrip("."), file=sys.stderr)  # noqa: T201
    return LOST


if __name__ == "__main__":
    main()
