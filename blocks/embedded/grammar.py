"""From a JSON schema to the tokens that may come next, by llguidance."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from llguidance import LLExecutor, LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from llguidance.numpy import fill_next_token_bitmask_par
from numpy.typing import NDArray

_SCHEMAS_KEPT = 256


class BadSchema(ValueError):
    """The schema of a request cannot be compiled."""


@dataclass(frozen=True)
class Grammar:
    """A compiled schema: the matcher stands behind the tokens that every answer must start with."""

    start: LLMatcher
    prefix: tuple[int, ...]


class Grammars:
    """Compiles each schema once; hands out copies of its matcher.

    Not for several threads at once: only the event loop compiles, only the generation thread fills masks.
    """

    def __init__(self, tokenizer: Any, vocab_size: int, stop_ids: list[int], threads: int) -> None:
        self._tokenizer: LLTokenizer = from_tokenizer(tokenizer, n_vocab=vocab_size, eos_token=stop_ids)
        self._executor = LLExecutor(num_threads=threads)
        self._vocab_size = vocab_size
        self._compiled: dict[str, Grammar] = {}

    def compile(self, schema: dict[str, Any]) -> Grammar:
        """The grammar of a JSON schema, without white space between the parts of the JSON.

        A model whose reply may contain white space at will can run on in it until max_tokens.

        Raises:
            BadSchema: llguidance refuses it.
        """
        text = json.dumps(schema)
        if text not in self._compiled:
            if len(self._compiled) >= _SCHEMAS_KEPT:
                self._compiled.clear()
            self._compiled[text] = self._compile(text)
        return self._compiled[text]

    def _compile(self, text: str) -> Grammar:
        source = LLMatcher.grammar_from_json_schema(text, overrides={"whitespace_flexible": False})
        matcher = LLMatcher(self._tokenizer, source, log_level=0)
        if matcher.is_error():
            raise BadSchema(" ".join(matcher.get_error().split())[:300])
        prefix = matcher.compute_ff_tokens()
        if prefix and not matcher.consume_tokens(prefix):
            raise BadSchema(" ".join(matcher.get_error().split())[:300])
        return Grammar(matcher, tuple(prefix))

    def allowed(self, matchers: list[tuple[LLMatcher, int]], rows: int) -> NDArray[np.bool_]:
        """Which tokens may come next, [rows, vocabulary]; rows that no matcher names may take any token.

        Args:
            matchers: each with the row that it rules.
        """
        bits = np.full((rows, (self._vocab_size + 31) // 32), -1, dtype=np.int32)
        fill_next_token_bitmask_par(self._executor, matchers, bits)
        flags = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little", count=self._vocab_size)
        return flags.view(np.bool_)
