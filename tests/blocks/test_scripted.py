"""The scripted server over real HTTP: right as often as scripted, the same for the same ask, counted."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from blocks.scripted.tally import read_tally
from blocks.scripted.texts import signature
from nightschool.errors import RecipeError, WorldError
from nightschool.recipe.script import Latency, load_script
from nightschool.school import TOPICS, check, generate
from tests.blocks.fleets import until
from tests.blocks.scripted_asks import ANSWER, ASK, QUESTION, chat, pupil, request, stats_of


@pytest.mark.parametrize("frame", ["{question}\n{choices}", "Topic: {topic}\n\n{question}\n\n{choices}\n\nThink."])
@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_perfect_pupil_is_right_whatever_frames_the_question(topic: str, frame: str) -> None:
    with scripted(pupil(accuracy=1.0)) as url:
        for place, puzzle in enumerate(generate(topic, 8, seed=1)):
            choices = list(puzzle.distractors)
            choices.insert(place % 4, puzzle.right)
            lettered = "\n".join(f"{letter}) {choice}" for letter, choice in zip("ABCD", choices, strict=True))
            prompt = frame.format(topic=topic, question=puzzle.question, choices=lettered)
            (choice,) = chat(url, prompt, schema=ANSWER, seed=place)
            assert json.loads(choice["message"]["content"])["answer"] == "ABCD"[place % 4]


def test_accuracy_is_per_topic_and_the_same_ask_gets_the_same_reply() -> None:
    puzzle = generate("seating", 1, seed=1)[0]
    lettered = "\n".join(f"{a}) {b}" for a, b in zip("ABCD", (puzzle.right, *puzzle.distractors), strict=True))
    prompt = f"{puzzle.question}\n{lettered}"
    with scripted(pupil(accuracy={"seating": 0.6, "series": 1.0})) as url:
        first = [chat(url, prompt, seed=seed, n=4, schema=ANSWER) for seed in range(60)]
        again = [chat(url, prompt, seed=seed, n=4, schema=ANSWER) for seed in range(60)]
    assert first == again
    letters = [json.loads(choice["message"]["content"])["answer"] for choices in first for choice in choices]
    assert 0.5 < letters.count("A") / len(letters) < 0.7
    assert set(letters) == set("ABCD")


def test_it_writes_questions_of_the_topic_and_spoils_its_share() -> None:
    with scripted(pupil(ok_questions=0.7)) as url:
        replies = [chat(url, "write series: L7", seed=seed, schema=QUESTION)[0] for seed in range(120)]
    written = [json.loads(reply["message"]["content"]) for reply in replies]
    status = [check("series", one["question"], one["answer"], tuple(one["distractors"])).status for one in written]
    copies = len(written) - len({one["question"] for one in written})
    assert 0.6 < status.count("ok") / len(status) < 0.9
    assert {"wrong_key", "malformed"} <= set(status)
    assert copies > 3


def test_delays_are_log_normal_and_the_same_for_the_same_point() -> None:
    latency = Latency(median=0.05, p99=1.0)
    drawn = sorted(latency.at(number / 10_000) for number in range(10_000))
    assert drawn[5_000] == pytest.approx(0.05, rel=0.01)
    assert drawn[9_900] == pytest.approx(1.0, rel=0.01)
    assert Latency(mean=0.2, jitter=0.1).at(0.0) == pytest.approx(0.1)
    for wrong in ({"median": 1}, {"median": 2, "p99": 1}, {"median": 1, "p99": 2, "mean": 1}):
        with pytest.raises(ValidationError):
            Latency.model_validate(wrong)


def test_plain_completions_have_choices_for_every_prompt() -> None:
    with scripted(Script.model_validate({"behaviour": "echo", "models": {"pupil": {}}})) as url:
        body = {"model": "pupil", "prompt": ["one", "two"], "n": 2}
        status, _, reply = request(url, "POST", "/v1/completions", body)
    assert status == 200
    assert [choice["text"] for choice in json.loads(reply)["choices"]] == ["one", "one", "two", "two"]


def test_solutions_in_free_text_are_right_as_often_as_scripted(tmp_path: Path) -> None:
    (tmp_path / "key.jsonl").write_text('{"problem": "What is\\nsix by seven?", "answer": "42"}\n')
    script = {
        "behaviour": "maths",
        "models": {"pupil": {"accuracy": 0.7}},
        "answers": {"file": "key.jsonl", "kind": "deepscaler"},
    }
    known = Script.model_validate(script, context={"folder": tmp_path})
    with scripted(known) as url:
        prompt = "Solve it.\n\nProblem: What is\nsix by seven?\nBox it."
        texts = [one["message"]["content"] for one in chat(url, prompt, n=100, seed=3)]
        assert [one["message"]["content"] for one in chat(url, prompt, n=100, seed=3)] == texts
        unknown = chat(url, "Solve something else.", n=100)
    said = [re.findall(r"\\boxed\{(.*?)\}", text) for text in texts]
    assert 0.55 < said.count(["42"]) / 100 < 0.85
    answers = [re.findall(r"\\boxed\{(.*?)\}", one["message"]["content"])[0] for one in unknown]
    assert 0.55 < max(Counter(answers).values()) / 100 < 0.85


def test_a_signed_reply_tells_its_system_prompt_and_nothing_else_changes() -> None:
    turns = [[{"role": "system", "content": who}, {"role": "user", "content": "hello"}] for who in ("Old", "New")]
    with scripted(Script(behaviour="echo", signed=True, models={"pupil": ScriptedModel()})) as url:
        said = [chat(url, "", messages=messages)[0]["message"]["content"] for messages in turns]
    assert said == [f"hello {signature('Old')}", f"hello {signature('New')}"]
    assert said[0] != said[1]


def test_a_message_in_text_parts_reads_as_one_text_and_a_picture_is_refused() -> None:
    parts = [{"type": "text", "text": "hello "}, {"type": "text", "text": "there"}]
    with scripted(Script(behaviour="echo", models={"pupil": ScriptedModel()})) as url:
        assert chat(url, "", messages=[{"role": "user", "content": parts}])[0]["message"]["content"] == "hello there"
        seen = {"role": "user", "content": [*parts, {"type": "image_url", "image_url": {"url": "data:,"}}]}
        assert request(url, "POST", "/v1/chat/completions", ASK | {"messages": [seen]})[0] == 400


def test_a_tally_on_file_goes_on_counting_after_a_kill(tmp_path: Path) -> None:
    script = Script(models={"pupil": ScriptedModel()}, tally=str(tmp_path / "tally"))
    slow = script.model_copy(update={"models": {"pupil": ScriptedModel(latency_s=Latency(mean=30))}})
    with scripted(script) as url:
        chat(url, "one")
        chat(url, "two")
    with scripted(slow) as url:
        host = url.removeprefix("http://").split("/")[0]
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request("POST", "/v1/chat/completions", body=json.dumps(ASK | {"seed": 3}))
        until(lambda: stats_of(url)["in_flight"] == 1)
        connection.close()
    killed = read_tally(tmp_path / "tally").report()
    assert (killed["total"], killed["aborted"], killed["paid_twice"]) == (3, 1, 0)
    with (tmp_path / "tally").open("ab") as file:
        file.write(b"asked " + b"00" * 16 + b" pupil\n")
    with scripted(script) as url:
        chat(url, "one")
        request(url, "POST", "/v1/chat/completions", ASK | {"seed": 3})
        stats = stats_of(url)
    assert (stats["total"], stats["paid_twice"], stats["aborted"]) == (6, 2, 2)


def test_requests_may_come_in_pieces_and_without_a_pause_between_them() -> None:
    body = json.dumps(ASK).encode()
    wire = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with scripted(pupil(latency_s=Latency(mean=0.01))) as url:
        host, port = url.removeprefix("http://").split("/")[0].split(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            for piece in (wire[:30], wire[30:70], wire[70:] + wire, wire):
                connection.sendall(piece)
            got = b""
            while got.count(b'"finish_reason":"stop"') < 3:
                got += connection.recv(65_536)
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 411")
    assert got.count(b"HTTP/1.1 200 OK") == 3


def test_stats_tell_duplicates_from_retries() -> None:
    with scripted(pupil()) as url:
        for seed in (1, 1, 2):
            request(url, "POST", "/v1/chat/completions", ASK | {"seed": seed})
        stats = stats_of(url)
    assert (stats["total"], stats["distinct"], stats["duplicates"], stats["answered_again"]) == (3, 2, 1, 1)
    assert stats["paid_twice"] == 1
    assert (stats["in_flight"], stats["models"]) == (0, {"pupil": 3})


def test_what_a_real_server_refuses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSCHOOL_API_KEY", "secret")
    with scripted(pupil()) as url:
        assert request(url, "GET", "/v1/models")[0] == 401
        assert request(url, "GET", "/health")[0] == 200
    monkeypatch.delenv("NIGHTSCHOOL_API_KEY")
    with scripted(pupil()) as url:
        assert request(url, "POST", "/v1/chat/completions", ASK | {"model": "nobody"})[0] == 404
        assert request(url, "POST", "/v1/chat/completions", {"model": "pupil"})[0] == 400
        assert request(url, "POST", "/v1/chat/completions", ASK | {"n": 0})[0] == 400


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Invalid JSON"),
        ('{"faults": {"fire": 0.1}}', "fire"),
        ('{"faults": {"hang": 0.7, "reset": 0.7}}', "more than 1"),
        ('{"models": {"a": {"accuracy": 1.2}}}', "models.a.accuracy"),
        ('{"unknown": 1}', "unknown"),
    ],
)
def test_a_script_is_checked(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(text)
    with pytest.raises(RecipeError, match=said):
        load_script(path)
    with pytest.raises(RecipeError, match="cannot be read"):
        load_script(tmp_path / "nothing")


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with scripted(pupil()) as url:
        command = [sys.executable, "-m", "blocks.scripted", "--port", url.split(":")[-1].removesuffix("/v1")]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == WorldError.exit_code
    assert re.fullmatch(r"cannot listen on 127\.0\.0\.1:\d+: .*in use\n", ended.stderr)
