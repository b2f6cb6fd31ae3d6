"""The contest's entry point for questions: `python -m agents.question_agent --num_questions 100 --verbose`."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from agents.question_model import QAgent
from agents.rules import breach, rules_of, write


def main() -> None:
    """Write questions, and beside them those that the contest's rules take."""
    options = _options()
    agent, rules = QAgent(), rules_of("questions")
    briefs = list(agent.briefs(options.num_questions))
    size = options.batch_size or agent.settings["batch_size"]
    written, taken, seconds, dropped = [], [], [], Counter[str]()
    seen: set[str] = set()
    for at in range(0, len(briefs), size):
        for question, took in agent.ask(briefs[at : at + size]):
            seconds.append(took)
            why = "cut off"
            if question is not None:
                written.append(question)
                text = question["question"].casefold()
                why = breach(question, rules, agent.model.tokens) or ("asked before" if text in seen else "")
                seen.add(text)
            if question is None or why:
                dropped[why] += 1
            else:
                taken.append(question)
            if options.verbose:
                print(f"question {len(seconds):>4}: {took:6.2f} s  {why or 'valid'}", flush=True)
    write(options.output_file, written)
    write(options.output_file.with_name("filtered_questions.json"), taken)
    print(f"{len(taken)} of {len(briefs)} questions are valid; {sum(seconds):.1f} s in all, "
          f"{sum(seconds) / max(1, len(seconds)):.2f} s a question")  # fmt: skip
    for why, count in dropped.most_common():
        print(f"{count:>6}  {why}")
    if len(taken) < rules["least_valid"] * len(briefs):
        print(f"The contest takes none when fewer than {rules['least_valid']:.0%} are valid.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m agents.question_agent", description=__doc__)
    parser.add_argument("--num_questions", type=int, default=100)
    parser.add_argument("--batch_size", type=int, default=None, help="questions at once; qgen.yaml's by default")
    parser.add_argument("--output_file", type=Path, default=Path("outputs/questions.json"))
    parser.add_argument("--verbose", action="store_true", help="seconds of each question")
    return parser.parse_args()


if __name__ == "__main__":
    main()
