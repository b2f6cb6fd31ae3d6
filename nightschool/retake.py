"""From the replies to one row to what must be asked next: missing samples, cut-off ones, unreadable ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nightschool.seeds import seed_of
from nightschool.wire import Ask, Choice, Reply

# A sample is asked anew at most so often; once of these with more room, if it was cut off.
_MOST_AGAIN = 2
_MORE_ROOM = 2

Flaw = Callable[[Choice], str | None]


def singles(ask: Ask) -> list[Ask]:
    """The same samples one by one, for a server that gives one a request; each has a seed of its own."""
    return [_single(ask, sample) for sample in range(ask.sampling.samples)]


class Takes:
    """One row's samples as they come in.

    The same replies lead to the same asks, live or from a journal: so a run that goes on asks what is missing and
    nothing else. A reply to anything else than what is wanted (another prompt, seed or sampling) is not taken.
    """

    def __init__(self, ask: Ask, *, flaw: Flaw | None, max_model_len: int | None) -> None:
        """`flaw` says why a choice can't be used, None = it can; without one, no choice is asked anew."""
        self.ask = ask
        self.wanted: list[Ask] = [ask]
        self._flaw = flaw
        self._max_model_len = max_model_len
        self._replies: list[Reply] = []
        self._choices: dict[int, Choice] = {}

    def take(self, reply: Reply) -> Sequence[Ask] | None:
        """Note a reply; what is to be asked because of it, or None if it is no reply to what is wanted."""
        if len(self.wanted) == 1 and reply.answers(self.wanted[0]):
            answered = self.wanted[0]
        elif (answered := self._answered(reply)) is None:
            return None
        self.wanted.remove(answered)
        self._replies.append(reply)
        first = reply.sample or 0
        places = range(first, self.ask.sampling.samples if reply.sample is None else first + 1)
        more: list[Ask] = []
        for place, choice in zip(places, reply.choices, strict=False):
            self._choices[place] = choice
            more += self._anew(answered, place, choice, reply)
        if reply.sample is None:
            more += [_single(self.ask, place) for place in places[len(reply.choices) :]]
        self.wanted += more
        return more

    def lose(self, ask: Ask) -> bool:
        """The world failed this ask for good; True when its sample has an earlier reply, so that the row can do."""
        self._split_for(ask.sample)
        self.wanted = [one for one in self.wanted if (one.sample, one.again) != (ask.sample, ask.again)]
        return ask.again > 0

    @property
    def requests(self) -> int:
        """How many were answered."""
        return len(self._replies)

    @property
    def reply(self) -> Reply:
        """All samples in one reply, in order; tokens and attempts are those of all requests."""
        replies = self._replies
        if len(replies) == 1 and len(replies[0].choices) == len(self._choices):
            return replies[0]
        return replies[0].model_copy(
            update={
                "seed": self.ask.seed,
                "sample": None,
                "again": 0,
                "sampling": self.ask.sampling,
                "choices": tuple(choice for _, choice in sorted(self._choices.items())),
                "tokens_in": sum(reply.tokens_in for reply in replies),
                "tokens_out": sum(reply.tokens_out for reply in replies),
                "latency_s": max(reply.latency_s for reply in replies),
                "attempts": sum(reply.attempts for reply in replies),
            }
        )

    def _answered(self, reply: Reply) -> Ask | None:
        split = _single(self.ask, reply.sample) if reply.sample is not None and not reply.again else None
        if split is not None and reply.answers(split):
            self._split_for(reply.sample)
        return next((one for one in self.wanted if reply.answers(one)), None)

    def _split_for(self, sample: int | None) -> None:
        """A single sample came where all were wanted: the client found that the server gives one a request."""
        if sample is not None and self.ask in self.wanted:
            self.wanted = singles(self.ask)

    def _anew(self, asked: Ask, place: int, choice: Choice, reply: Reply) -> list[Ask]:
        flaw = self._flaw(choice) if self._flaw else None
        again = asked.again + 1
        if flaw is None or again > _MOST_AGAIN:
            return []
        room = asked.sampling.max_tokens
        if flaw == "truncated":
            most = self.ask.sampling.max_tokens * _MORE_ROOM
            if self._max_model_len is not None:
                most = min(most, self._max_model_len - reply.tokens_in)
            if most <= room:
                return []
            room = most
        elif not asked.sampling.temperature:
            return []  # the same words would come
        return [_single(self.ask, place, again=again, max_tokens=room)]


def _single(ask: Ask, sample: int, *, again: int = 0, max_tokens: int | None = None) -> Ask:
    sampling = ask.sampling.model_copy(update={"samples": 1, "max_tokens": max_tokens or ask.sampling.max_tokens})
    seed = seed_of("sample", ask.id, ask.seed, sample, again)
    return ask.model_copy(update={"sampling": sampling, "seed": seed, "sample": sample, "again": again})
