"""What is learned under each family's chat template: the reply and its end, and nothing that anybody else said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nightschool.errors import DataError
from nightschool.training.render import Rendered, render_rows
from nightschool.training.rows import SftRow
from nightschool.training.template import check_template
from tests.integration import tiny_training

pytestmark = pytest.mark.integration
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)

# microsoft/phi-4 has none in TRL.
PHI4 = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '<|im_sep|>' + m['content'] + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %}"
)
MARK = re.compile(r"<[|\uff5c][^<>\s']{1,40}[|\uff5c]>|<(?:start|end)_of_turn>|\[/?INST\]|\[/?SYSTEM_PROMPT\]|</?s>")
EARLIER, SAID = "A, and sure of it", "B, the row is Leo Dan Ivy"
# By family: what ends a turn, and what is written before the reply and learned with it.
FAMILIES = {
    "qwen2_5": ("<|im_end|>", ""),
    "qwen3": ("<|im_end|>", "<think>\n\n</think>\n\n"),
    "qwen3_instruct_2507": ("<|im_end|>", ""),
    "llama3": ("<|eot_id|>", ""),
    "llama3_1": ("<|eot_id|>", ""),
    "llama3_2": ("<|eot_id|>", ""),
    "phi3": ("<|end|>", ""),
    "phi3_5": ("<|end|>", ""),
    "gemma": ("<end_of_turn>", ""),
    "gemma3": ("<end_of_turn>", ""),
    "gptoss": ("<|return|>", "<|channel|>final<|message|>"),
    "cohere": ("<|END_OF_TURN_TOKEN|>", ""),
    "phi4": ("<|im_end|>", ""),
    "mistral_v1": ("</s>", ""),
    "mistral_v3": ("</s>", ""),
    "mistral_v7": ("</s>", ""),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.integration import random_qwen2

    return random_qwen2.make(tmp_path_factory.mktemp("templates"), hidden=32, layers=1)


def template(family: str) -> str:
    """As the family's models have it: from TRL, which keeps them to compare with, or from Mistral's own package."""
    if family == "phi4":
        return PHI4
    if family.startswith("mistral"):
        made = pytest.importorskip("mistral_common.integrations.chat_templates.template_generator")
        version = made.TokenizerVersion(family.removeprefix("mistral_"))
        return made.build_chat_template(made.TemplateConfig(version=version, use_special_token_variables=False))
    import trl

    return (Path(trl.__file__).parent / "chat_templates" / f"{family}.jinja").read_text()


def tokenizer_of(base: Path, family: str) -> Any:
    """A tokenizer to which the family's marks are tokens, with its template."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    tokenizer.chat_template = template(family)
    marks = sorted({*MARK.findall(tokenizer.chat_template), FAMILIES.get(family, ("</s>",))[0], "<bos>"})
    tokenizer.add_special_tokens({"additional_special_tokens": marks})
    tokenizer.bos_token, tokenizer.eos_token = "<bos>", FAMILIES.get(family, ("</s>",))[0]
    return tokenizer


def row(*, system: bool = False) -> SftRow:
    turns = [("user", "Who is Dan?"), ("assistant", EARLIER), ("user", "And who is Leo?")]
    turns = [("system", "Be brief.")] * system + turns
    prompt = [{"role": role, "content": text} for role, text in turns]
    return SftRow.model_validate({"id": "r", "prompt": prompt, "completion": [{"role": "assistant", "content": SAID}]})


def learned(tokenizer: Any, one: SftRow, end: str) -> Rendered:
    check_template([one], tokenizer, file=Path("rows.jsonl"))
    stop = frozenset({tokenizer.convert_tokens_to_ids(end)})
    (found,) = render_rows([one], tokenizer, stop_ids=stop, file=Path("rows.jsonl"))
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_the_reply_and_its_end_are_learned_and_no_other_turn(base: Path, family: str) -> None:
    end, before = FAMILIES[family]
    tokenizer = tokenizer_of(base, family)
    found = learned(tokenizer, row(), end)
    text = tokenizer.decode(found.completion_ids[0])
    assert re.fullmatch(rf"{re.escape(before)} ?{re.escape(SAID)}{re.escape(end)}\s*(?:{re.escape(end)})?", text), text
    prompt = tokenizer.decode(found.prompt_ids)
    assert EARLIER in prompt
    assert SAID not in prompt


TRAINED = [name for name in FAMILIES if name not in ("llama3_1", "llama3_2", "phi4") and "mistral" not in name]


@pytest.mark.parametrize("family", TRAINED)
def test_it_is_what_trls_template_for_training_marks(base: Path, family: str) -> None:
    """TRL marks every assistant turn, and in some families what opens it, which a server writes itself."""
    tokenizer = tokenizer_of(base, family)
    one = row()
    single = one.model_copy(update={"prompt": one.prompt[-1:]})
    turns = [message.model_dump() for message in (*single.prompt, *single.completion)]
    theirs = tokenizer.apply_chat_template(
        turns,
        chat_template=template(f"{family}_training"),
        return_assistant_tokens_mask=True,
        return_dict=True,
    )
    marked = [token for token, mask in zip(theirs["input_ids"], theirs["assistant_masks"], strict=True) if mask]
    ours = learned(tokenizer, single, FAMILIES[family][0]).completion_ids[0]
    assert marked[-len(ours) :] == ours
    opening = tokenizer.decode(marked[: -len(ours)])
    assert not set(opening.replace("<|start|>assistant", "").split()), opening


def test_a_family_without_a_system_turn_is_named(base: Path) -> None:
    with pytest.raises(DataError, match=r"rows\.jsonl:1: row r: .*refuses system, user.*System role not supported"):
        learned(tokenizer_of(base, "gemma"), row(system=True), "<end_of_turn>")


@pytest.mark.parametrize("family", ["qwen2_5", "qwen3", "llama3_1", "gemma3", "phi4", "gptoss"])
def test_a_system_turn_is_read_where_the_family_has_one(base: Path, family: str) -> None:
    tokenizer = tokenizer_of(base, family)
    assert "Be brief." in tokenizer.decode(learned(tokenizer, row(system=True), FAMILIES[family][0]).prompt_ids)


def test_a_template_that_opens_a_thought_when_served_and_not_when_trained_is_refused(base: Path) -> None:
    with pytest.raises(DataError, match=r"row r: in the prompt, token \d+ is .* as trained and .*think"):
        learned(tokenizer_of(base, "deepseek_r1_distill"), row(), "</s>")
