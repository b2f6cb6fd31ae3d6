"""`python -m flows.cli` is `nightschool`."""

from flows.cli import main

main()
