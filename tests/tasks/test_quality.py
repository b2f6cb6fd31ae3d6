"""Question quality through its step: pairs of what was written, put to a judge in both orders, once."""

from __future__ import annotations

import orjson

from blocks.scripted.local import Script, scripted
from nightschool.quality import Preferred
from nightschool.wire import Endpoint
from tasks import quality
from tasks.night import Night
from tests.half_night import Make
from tests.tasks.conftest import fill, serving

FIRST = orjson.dumps({"reasoning": "I like it.", "better": "first"}).decode()
TOLD = (
    "quality={prompt: {system: null, user: '$first $second'}, compare: [{ours: alba, theirs: bruno}], "
    "models: [{name: clara, model: clara}], chunk_rows: 5}"
)


def judged(night: Night, text: str) -> None:
    script = Script.model_validate({"models": {"clara": {}}, "behaviour": "text", "text": text})
    with scripted(script) as url:
        fill(night, {"clara": Endpoint(model="clara", urls=(url,), attempts=1)}, "quality")


def test_teachers_questions_are_compared_in_both_orders_and_a_second_night_asks_nobody(make: Make) -> None:
    night = make(TOLD, "questions.per_topic=3")
    with serving() as served:
        fill(night, served, "questions")
    judged(night, FIRST)
    rows = night.rows(quality.chunks(night), Preferred)
    assert len(rows) == 24, "three questions of each of four topics, twice"
    assert {(row.swapped, row.better) for row in rows} == {(False, "ours"), (True, "theirs")}
    [found] = quality.measured(night)
    assert (found.ours, found.theirs, found.judge, found.pairs) == ("alba", "bruno", "clara", 12)
    assert found.rate
    assert found.first
    assert found.rate.value == 0.5
    assert found.first.value == 1
    fill(make(TOLD, "questions.per_topic=3"), {}, "quality")


def test_the_arenas_questions_are_compared_where_there_is_one(make: Make) -> None:
    night = make(TOLD, "arena={players: [alba, bruno], per_topic: 2}", "quality.pairs=3")
    with serving(models={"alba": {"ok_questions": 0.5}, "bruno": {}}) as served:
        fill(night, served, "challenges")
    judged(night, "Both are fine.")
    rows = night.rows(quality.chunks(night), Preferred)
    assert [row.better for row in rows] == [None] * 6
    assert {row.reason for row in rows} == {"not_json"}
    [found] = quality.measured(night)
    assert (found.pairs, found.unread, found.told) == (0, 3, "nothing of it could be read")
