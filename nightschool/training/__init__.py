"""The one door to torch, TRL and PEFT: `python -m nightschool.training JOB.json` trains one stage and ends.

`job`, `rows` and `record` are pure and may be imported by any layer; the rest belongs to the process of its own.
"""
