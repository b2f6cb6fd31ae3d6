"""What the tiny models are made of: runs, turns and hints, all without torch."""

import json
import random
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from pydantic import ValidationError

from nightschool import answers, school
from nightschool.prompts import load_prompt
from nightschool.school.hints import hint
from nightschool.tinymodels.corpus import Corpus, answer_turn, lettered, lookup_turn, written_plainly
from nightschool.tinymodels.spec import ANSWERS, MODELS, QUESTIONS, Diet, Run, SchoolSection, runs

PROMPTS = Path(__file__).parents[2] / "configs" / "prompts" / "tiny"
EVEN = dict.fromkeys(school.TOPICS, 1.0)


def test_the_runs_make_every_model_once_and_cost_about_the_same():
    made = [model for run in runs(SchoolSection()) for model in run.models]
    steps = [run.steps for run in runs(SchoolSection())]
    assert sorted(made) == sorted(MODELS)
    assert max(steps) < 1.1 * min(steps)


def test_every_topic_has_two_sound_teachers():
    teachers = [
        stage for run in runs(SchoolSection()) for stage in run.stages if stage.keep and stage.name != "student"
    ]
    weak = Counter(topic for stage in teachers for topic in stage.diet.careless)
    assert len(teachers) == 3
    assert all(weak[topic] <= 1 for topic in school.TOPICS)


def test_scale_multiplies_the_steps_of_every_stage():
    whole, half = (runs(SchoolSection(scale=scale))[0].stages for scale in (1.0, 0.5))
    assert [stage.steps for stage in half] == [round(stage.steps / 2) for stage in whole]


def test_a_seed_changes_every_run_and_nothing_else():
    here, there = runs(SchoolSection(seed=1)), runs(SchoolSection(seed=2))
    assert len({run.seed for run in here + there}) == 4
    assert [run.stages for run in here] == [run.stages for run in there]


def test_a_run_survives_json_and_an_unknown_key_is_refused():
    run = runs(SchoolSection())[0]
    assert Run.model_validate_json(run.model_dump_json()) == run
    with pytest.raises(ValidationError, match="colour"):
        SchoolSection.model_validate({"colour": "red"})


def test_prompts_are_those_of_the_prompt_files():
    assert load_prompt(PROMPTS / "answers.txt") == ANSWERS
    assert load_prompt(PROMPTS / "questions.txt") == QUESTIONS


@pytest.mark.parametrize("topic", school.TOPICS)
def test_an_answer_names_the_letter_of_the_right_choice_in_the_bytes_of_guided_decoding(topic: str):
    puzzle = school.generate(topic, 1, seed=3)[0]
    turn = answer_turn(puzzle, ANSWERS, random.Random(1))
    letter = json.loads(turn.reply)["answer"]
    assert f"{letter}) {puzzle.right}" in turn.user.splitlines()
    assert turn.reply == answers.completion(puzzle.plan, letter)


def test_careless_answers_are_right_by_chance_only_and_agree_with_their_reasoning():
    rng, puzzle = random.Random(1), school.generate("seating", 1, seed=3)[0]
    said = []
    for _ in range(400):
        turn = answer_turn(puzzle, ANSWERS, rng, "careless")
        reply = json.loads(turn.reply)
        line = next(line for line in turn.user.splitlines() if line.startswith(f"{reply['answer']}) "))
        assert reply["reasoning"].endswith(line[3:])
        said.append(line[3:] == puzzle.right)
    assert 0.18 < sum(said) / 400 < 0.32


def test_letters_are_even():
    rng, puzzle = random.Random(1), school.generate("series", 1, seed=3)[0]
    letters = Counter(lettered(puzzle, rng)[1][puzzle.right] for _ in range(400))
    assert min(letters.values()) > 75


def test_lookups_are_drawn_with_replacement_so_that_none_follows_by_elimination():
    rng, puzzle = random.Random(1), school.generate("seating", 1, seed=3)[0]
    firsts = [lookup_turn(puzzle, rng).reply.split("}")[:4] for _ in range(50)]
    assert sum(len(set(four)) < 4 for four in firsts) > 25


@pytest.mark.parametrize("topic", school.TOPICS)
def test_questions_to_learn_writing_from_are_valid(topic: str):
    for puzzle in school.generate(topic, 60, seed=5):
        question, plan = written_plainly(puzzle)
        assert school.check(topic, question, puzzle.right, puzzle.distractors).status == "ok"
        assert plan.endswith(puzzle.right)


def test_no_held_out_question_is_in_the_corpus():
    corpus = Corpus(ANSWERS, QUESTIONS, seed=1, per_topic=100)
    turns = islice(corpus.turns(Diet(weights=EVEN)), 500)
    assert not any(school.held_out(turn.user.split("\n")[0]) for turn in turns)


def test_a_corpus_is_fixed_by_its_seed():
    diet = Diet(weights=EVEN, lookups=0.2, writing={"series": 0.5}, careless={"series": 0.5})
    first, again, other = (
        list(islice(Corpus(ANSWERS, QUESTIONS, seed=seed, per_topic=50).turns(diet), 100)) for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize("topic", school.TOPICS)
def test_hints_vary_and_are_fixed_by_the_seed(topic: str):
    drawn = [hint(topic, random.Random(seed)) for seed in range(50)]
    assert drawn == [hint(topic, random.Random(seed)) for seed in range(50)]
    assert len(set(drawn)) > 40
