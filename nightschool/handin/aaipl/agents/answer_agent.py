"""The contest's entry point for answers: `python -m agents.answer_agent --input_file FILE --batch_size 5`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from agents.answer_model import AAgent
from agents.rules import breach, rules_of, write


def main() -> None:
    """Answer a file of questions, in its order, and say how long it took and how many were right."""
    options = _options()
    questions = json.loads(options.input_file.read_text(encoding="utf-8"))
    agent, rules = AAgent(), rules_of("answers")
    size = options.batch_size or agent.settings["batch_size"]
    answers, taken, seconds, right = [], [], [], 0
    for at in range(0, len(questions), size):
        batch = questions[at : at + size]
        for question, (answer, took) in zip(batch, agent.ask(batch), strict=True):
            seconds.append(took)
            answers.append(answer or {"answer": "", "reasoning": ""})
            why = breach(answers[-1], rules, agent.model.tokens)
            if why is None:
                taken.append(answers[-1])
            key = question.get("answer", question.get("expected_answer"))
            right += why is None and answers[-1]["answer"] == key
            if options.verbose:
                print(f"answer {len(seconds):>4}: {took:6.2f} s  {why or answers[-1]['answer']}", flush=True)
    write(options.output_file, answers)
    write(options.output_file.with_name("filtered_answers.json"), taken)
    print(f"{len(taken)} of {len(questions)} answers are valid, {right} agree with their author's key; "
          f"{sum(seconds):.1f} s in all, {sum(seconds) / max(1, len(seconds)):.2f} s an answer")  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m agents.answer_agent", description=__doc__)
    parser.add_argument("--input_file", type=Path, default=Path("outputs/filtered_questions.json"))
    parser.add_argument("--batch_size", type=int, default=None, help="answers at once; agen.yaml's by default")
    parser.add_argument("--output_file", type=Path, default=Path("outputs/answers.json"))
    parser.add_argument("--verbose", action="store_true", help="seconds of each answer")
    return parser.parse_args()


if __name__ == "__main__":
    main()
