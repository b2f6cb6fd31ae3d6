"""What stands before a phase is listed once for all of its chunks, and anew when an earlier chunk changed."""

from __future__ import annotations

from pathlib import Path

from nightschool.chunks import Chunk
from nightschool.recipe.load import load_recipe
from tasks import pool
from tasks.night import Night
from tasks.standing import beside
from tests.file_night import make

RECIPE = """
name: data
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}]
pool: {{file: q.jsonl, fields: {{question: problem}}}}
answers: {{reply: text, prompt: p.txt, chunk_rows: 2}}
"""


def test_it_is_listed_once_until_an_earlier_phase_changes(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("[user]\n$question\n")
    (tmp_path / "q.jsonl").write_text("".join(f'{{"problem": "{n}+1?"}}\n' for n in range(6)))
    (tmp_path / "r.yaml").write_text(RECIPE.format(store=tmp_path / "runs"))
    night = Night.plan(load_recipe(tmp_path / "r.yaml"))
    listed: list[int] = []

    def two_a_number(night: Night) -> list[Chunk]:
        listed.append(1)
        return [night.chunk("answers/ann", n // 2, n, f"{n}", rows=1) for n in range(6)]

    merged = [night.chunk("merge", n, n, "", rows=2) for n in range(3)]
    for chunk in merged:
        assert [one.ordinal for one in beside(night, chunk, two_a_number)] == [2 * chunk.index, 2 * chunk.index + 1]
    assert len(listed) == 1
    make(night, {}, "pool")
    assert beside(night, merged[0], two_a_number)
    assert len(listed) == 2
    night.store.forget(pool.chunks(night)[0])
    assert beside(night, merged[0], two_a_number)
    assert len(listed) == 3
    assert beside(night, night.chunk("merge", 7, 7, "", rows=0), two_a_number) == ()
