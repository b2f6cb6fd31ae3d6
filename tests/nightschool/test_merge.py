"""The merge: every question once and in order, each solution under its own teacher and question."""

from nightschool.merge import merge
from nightschool.records import Question, Said, Solutions


def question(number: int) -> Question:
    return Question(
        id=f"q{number}", topic="", question=f"{number}?", choices=(), truth=None, key=None, source="file",
        check="unchecked",
    )  # fmt: skip


def solutions(number: int, teacher: str, *texts: str) -> Solutions:
    return Solutions(id=f"q{number}", teacher=teacher, said=tuple(Said(text=text, finish="stop") for text in texts))


def test_replies_in_any_order_come_out_in_the_questions_order() -> None:
    rows = [solutions(n, name, f"{name} {n}a", f"{name} {n}b") for name in ("ann", "ben") for n in (2, 0, 1)]
    found = list(merge([question(n) for n in range(3)], rows))
    assert [row.question.id for row in found] == ["q0", "q1", "q2"]
    assert [said.text for said in found[1].solutions["ben"]] == ["ben 1a", "ben 1b"]


def test_a_teacher_who_said_nothing_is_missing_and_the_question_stays() -> None:
    found = list(merge([question(0), question(1)], [solutions(1, "ann", "x")]))
    assert [sorted(row.solutions) for row in found] == [[], ["ann"]]
