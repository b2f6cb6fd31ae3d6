"""From texts to a byte-level BPE tokenizer that AutoTokenizer reads back unchanged."""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerBase
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

from nightschool.tinymodels.spec import CONTEXT

PAD = "<|endoftext|>"  # Qwen2Tokenizer adds this one itself: it has to be in the vocabulary already
END = "<|end|>"
ROLES = ("system", "user", "assistant")

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def build_tokenizer(texts: Iterable[str], directory: Path, *, vocabulary: int) -> PreTrainedTokenizerBase:
    """Train a tokenizer, write it to `directory`, and read it back as every user of the models will.

    AutoTokenizer ignores the pre-tokenizer written in tokenizer.json for model type qwen2 and puts Qwen2's own in its
    place; so the vocabulary is trained with Qwen2's, and the reading back is part of the making.

    Args:
        texts: what the models will read and write; the same texts in the same order give the same bytes.
        directory: made if it is not there.
        vocabulary: greatest number of tokens, the 256 bytes and the special tokens included.

    Raises:
        RuntimeError: the tokenizer read back splits a text otherwise than the one trained.
    """
    texts = list(texts)
    trained = _train(texts, vocabulary)
    directory.mkdir(parents=True, exist_ok=True)
    trained.save(str(directory / "tokenizer.json"))
    settings = {
        "tokenizer_class": "Qwen2Tokenizer",
        "eos_token": END,
        "pad_token": PAD,
        "unk_token": PAD,
        "model_max_length": CONTEXT,
        "chat_template": CHAT_TEMPLATE,
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(settings, indent=1, sort_keys=True))
    (directory / "config.json").write_text(json.dumps({"model_type": "qwen2"}))
    tokenizer = AutoTokenizer.from_pretrained(directory)
    if any(tokenizer.encode(text) != trained.encode(text).ids for text in texts[:200]):
        raise RuntimeError("the tokenizer read back by AutoTokenizer splits texts otherwise than the one trained")
    tokenizer.save_pretrained(directory)
    return tokenizer


def _train(texts: list[str], vocabulary: int) -> Tokenizer:
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.NFC()
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, END, *(f"<|{role}|>" for role in ROLES)],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    trained.train_from_iterator(texts, trainer)
    return trained


def token_id(tokenizer: PreTrainedTokenizerBase, token: str) -> int:
    """The id of one token of the vocabulary."""
    return tokenizer.get_vocab()[token]
