"""What is asked next, given the replies so far: live and from a journal the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nightschool.retake import Takes, singles
from nightschool.wire import Ask, Choice, Message, Reply, Sampling

FLAWS = {"bad": "not_json", "cut": "truncated"}


def ask_of(samples: int = 1, temperature: float = 0.7) -> Ask:
    sampling = Sampling(temperature=temperature, max_tokens=100, samples=samples)
    return Ask(id="q", messages=(Message(role="user", content="Which?"),), sampling=sampling, seed=5)


def reply_to(ask: Ask, *texts: str) -> Reply:
    return Reply(
        id=ask.id, model="m", seed=ask.seed, choices=tuple(Choice(text=text, finish="stop") for text in texts),
        tokens_in=30, tokens_out=10, latency_s=0.1, attempts=1,
        prompt=ask.prompt_key, sampling=ask.sampling, sample=ask.sample, again=ask.again,
    )  # fmt: skip


def takes_of(ask: Ask, max_model_len: int | None = None) -> Takes:
    return Takes(ask, flaw=lambda choice: FLAWS.get(choice.text), max_model_len=max_model_len)


def texts(takes: Takes) -> list[str]:
    return [choice.text for choice in takes.reply.choices]


def test_a_good_reply_is_the_rows_and_nothing_more_is_asked() -> None:
    takes = takes_of(ask_of(2))
    assert takes.take(reply := reply_to(ask_of(2), "a", "b")) == []
    assert (takes.wanted, takes.reply) == ([], reply)


def test_an_unreadable_sample_is_asked_anew_twice_at_most_with_other_seeds() -> None:
    takes, seeds = takes_of(ask_of(2)), set()
    more = takes.take(reply_to(ask_of(2), "good", "bad"))
    for again in (1, 2):
        assert more is not None
        (one,) = more
        assert (one.sample, one.again, one.sampling.samples, one.sampling.max_tokens) == (1, again, 1, 100)
        seeds.add(one.seed)
        more = takes.take(reply_to(one, "bad"))
    assert (more, takes.wanted, len(seeds)) == ([], [], 2)
    assert texts(takes) == ["good", "bad"]
    assert (takes.reply.tokens_out, takes.reply.attempts, takes.reply.seed) == (30, 3, 5)


def test_a_cut_off_sample_gets_more_room_once() -> None:
    takes = takes_of(ask_of())
    one = next(iter(takes.take(reply_to(ask_of(), "cut")) or ()))
    assert one.sampling.max_tokens == 200
    assert takes.take(reply_to(one, "cut")) == []
    assert texts(takes) == ["cut"]


def test_more_room_ends_where_the_model_ends() -> None:
    one = next(iter(takes_of(ask_of(), max_model_len=180).take(reply_to(ask_of(), "cut")) or ()))
    assert one.sampling.max_tokens == 150
    assert takes_of(ask_of(), max_model_len=130).take(reply_to(ask_of(), "cut")) == []


def test_without_temperature_the_same_words_would_come() -> None:
    cold = ask_of(temperature=0.0)
    assert takes_of(cold).take(reply_to(cold, "bad")) == []
    assert len(takes_of(cold).take(reply_to(cold, "cut")) or ()) == 1


def test_what_is_measured_is_never_asked_anew() -> None:
    takes = Takes(ask_of(), flaw=None, max_model_len=None)
    assert takes.take(reply_to(ask_of(), "bad")) == []


def test_samples_that_the_server_left_out_are_asked_one_by_one() -> None:
    takes = takes_of(ask_of(3))
    more = takes.take(reply_to(ask_of(3), "a")) or ()
    assert [(one.sample, one.sampling.samples) for one in more] == [(1, 1), (2, 1)]
    for one in reversed(more):
        takes.take(reply_to(one, f"sample {one.sample}"))
    assert (texts(takes), takes.wanted) == (["a", "sample 1", "sample 2"], [])


def test_a_reply_to_anything_else_is_not_taken() -> None:
    other = ask_of().model_copy(update={"messages": (Message(role="user", content="Which one?"),)})
    other = Ask.model_validate(other.model_dump())
    for strange in (other, ask_of(temperature=0.6), ask_of().model_copy(update={"seed": 6}), ask_of(2)):
        takes = takes_of(ask_of())
        assert takes.take(reply_to(strange, "a", "b")) is None
        assert takes.wanted == [ask_of()]


def test_a_lost_sample_loses_the_row_unless_it_had_a_reply() -> None:
    takes = takes_of(ask_of(2))
    first, second = singles(ask_of(2))
    takes.take(reply_to(first, "a"))
    assert not takes.lose(second)
    takes = takes_of(ask_of())
    one = next(iter(takes.take(reply_to(ask_of(), "bad")) or ()))
    assert takes.lose(one)
    assert (texts(takes), takes.wanted) == (["bad"], [])


@given(st.lists(st.sampled_from(["good", "bad", "cut"]), min_size=40, max_size=40), st.booleans(), st.data())
def test_a_run_that_goes_on_asks_what_is_missing_and_nothing_twice(
    drawn: list[str], one_by_one: bool, data: st.DataObject
) -> None:
    texts_to_come, journal = iter(drawn), []
    takes = takes_of(ask_of(4))
    to_ask = singles(ask_of(4)) if one_by_one else [ask_of(4)]
    while to_ask:
        one = to_ask.pop(data.draw(st.integers(0, len(to_ask) - 1)))
        journal.append(reply_to(one, *(next(texts_to_come) for _ in range(one.sampling.samples))))
        more = takes.take(journal[-1])
        assert more is not None
        to_ask += more
        # Killed here: what the journal has is known again, and only the rest is wanted.
        again = takes_of(ask_of(4))
        assert all(again.take(reply) is not None for reply in journal)
        assert again.wanted == takes.wanted
    assert (takes.wanted, len(takes.reply.choices)) == ([], 4)
