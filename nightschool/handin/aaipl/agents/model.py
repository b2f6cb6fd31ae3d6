"""From a settings file to a model that answers many conversations at once, under the night's own conditions."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import torch
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer, LogitsProcessorList
from transformers.utils import logging

from agents.shape import Held, Literals, Shape

ROOT = Path(__file__).resolve().parents[1]
# Of the time that a batch may take, the part after which strings are closed: what follows takes a few tokens.
_SHARE = 0.9


class Reply(NamedTuple):
    """What came of one conversation: the JSON that it is, None where it was cut off, and its share of the seconds."""

    record: dict[str, Any] | None
    seconds: float


class Model:
    """A base with the adapter that a night trained, and the words, sampling and time that it is asked with."""

    def __init__(self, settings_file: str) -> None:
        self.settings: dict[str, Any] = yaml.safe_load((ROOT / settings_file).read_text(encoding="utf-8"))
        logging.disable_progress_bar()
        base, adapter = _place(self.settings["base"]), self.settings.get("adapter")
        self.tokenizer: Any = AutoTokenizer.from_pretrained(_place(adapter) if adapter else base)
        self.tokenizer.padding_side = "left"
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=self.settings["dtype"])
        if adapter:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, _place(adapter)).merge_and_unload()
        self._model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        self._shapes: dict[str, Shape] = {}
        torch.manual_seed(self.settings["seed"])

    def messages(self, **fields: str) -> list[dict[str, str]]:
        """The conversation with its placeholders filled, as in training."""
        turns = [(role, self.settings.get(role)) for role in ("system", "user")]
        return [{"role": role, "content": Template(text).substitute(fields)} for role, text in turns if text]

    def render(self, conversations: Sequence[Sequence[Mapping[str, str]]]) -> list[str]:
        """The chat template's text, with the assistant's turn begun."""
        return self.tokenizer.apply_chat_template(conversations, add_generation_prompt=True, tokenize=False)

    def tokens(self, text: str) -> int:
        """How many tokens a text is."""
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    @torch.inference_mode()
    def ask(self, conversations: Sequence[Sequence[Mapping[str, str]]], literals: Literals) -> list[Reply]:
        """All replies of one batch, each of the shape that `literals` say."""
        began, most = time.monotonic(), self.settings["max_tokens"]
        given = self.tokenizer(self.render(conversations), add_special_tokens=False, padding=True, return_tensors="pt")
        given = given.to(self._model.device)
        held = Held(self._shape(literals), rows=len(conversations), most=most, ends=self._ends(),
                    deadline=began + _SHARE * self.settings["seconds"])  # fmt: skip
        ids = self._model.generate(
            **given, max_new_tokens=most, logits_processor=LogitsProcessorList([held]), **self._sampling(),
            pad_token_id=self.tokenizer.pad_token_id, eos_token_id=self._ends(),
        )  # fmt: skip
        texts = self.tokenizer.batch_decode(ids[:, given["input_ids"].shape[1] :], skip_special_tokens=True)
        each = (time.monotonic() - began) / len(texts)
        return [Reply(_record(text), each) for text in texts]

    def _sampling(self) -> dict[str, Any]:
        """As the night served it: what neither the recipe nor the model's own settings name is off."""
        own = self._model.generation_config
        if not self.settings["temperature"]:
            return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        return {"do_sample": True, "temperature": self.settings["temperature"], "top_p": self.settings["top_p"],
                "top_k": own.top_k if own.do_sample and own.top_k else 0}  # fmt: skip

    def _ends(self) -> list[int]:
        own = self._model.generation_config.eos_token_id
        ids = own if isinstance(own, list) else [own]
        return sorted({token for token in [*ids, self.tokenizer.eos_token_id] if token is not None})

    def _shape(self, literals: Literals) -> Shape:
        name = repr(literals)
        if name not in self._shapes:
            self._shapes[name] = Shape(self.tokenizer, literals)
        return self._shapes[name]


def _place(name: str) -> str:
    """A folder of this submission, or a name on the hub."""
    return str(ROOT / name) if (ROOT / name).is_dir() else name


def _record(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
