"""Models by their right names: what they weigh, hold and allow, read from `configs/models.yaml`."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Literal

import orjson
from pydantic import Field, ValidationError, model_validator

from nightschool.errors import RecipeError
from nightschool.recipe.explain import explain
from nightschool.recipe.models import Settings
from nightschool.recipe.section import Clash, Positive, Section
from nightschool.recipe.source import read_tree

FILE = Path(__file__).parents[1] / "configs" / "models.yaml"
Form = Literal["bf16", "fp8", "int8", "int4", "mxfp4", "nvfp4"]
Plan = Literal["000", "001", "002", "003", "004"]
_ODD = re.compile(r"[^a-z0-9]+")


class Shape(Section):
    """What a transformer's sizes follow from; `inner` is left out where experts are mixed."""

    layers: Positive
    hidden: Positive
    heads: Positive
    kv_heads: Positive
    head_dim: Positive
    inner: Positive | None = None
    vocab: Positive
    tied: bool = False
    gate: bool = Field(default=True, description="three matrices in the MLP; without a gate two")

    @property
    def attention(self) -> list[tuple[int, int]]:
        """Sizes (in, out) of a layer's projections: query, key, value, output."""
        query, kept = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return [(self.hidden, query), (self.hidden, kept), (self.hidden, kept), (query, self.hidden)]

    @property
    def linear(self) -> list[tuple[int, int]]:
        """Sizes (in, out) of a layer's linear maps; of a mixture the attention's alone, its experts are no such."""
        if self.inner is None:
            return self.attention
        into = [(self.hidden, self.inner)] * (2 if self.gate else 1)
        return [*self.attention, *into, (self.inner, self.hidden)]

    @property
    def embeddings(self) -> int:
        """Parameters of the embeddings and of the output."""
        return self.vocab * self.hidden * (1 if self.tied else 2)


class Entry(Section):
    """A model. Sizes in billions of parameters and GB (10^9 bytes)."""

    hub: str = Field(min_length=1)
    hosted: bool = Field(default=False, description="behind an API only")
    plans: dict[Plan, str] = Field(default={}, description="what a plan calls it")
    also: tuple[str, ...] = ()
    params: float | None = Field(default=None, gt=0)
    active: float | None = Field(default=None, gt=0)
    context: Positive
    licence: str
    teaches: Literal["yes", "conditions", "no"]
    terms: str = ""
    gated: bool = False
    weights: dict[Form, float] = {}
    shape: Shape | None = None
    kv_kib: float | None = Field(default=None, gt=0)
    serve: Settings = Settings()
    note: str = ""
    unverified: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Entry:
        if self.hosted == (self.params is not None and bool(self.weights)):
            raise Clash("a model has params and weights, one behind an API neither", "params")
        if (self.teaches == "yes") == bool(self.terms):
            raise Clash("terms say in words what teaches: conditions or no means", "terms")
        return self

    @property
    def kv_bytes(self) -> float | None:
        """Bytes of keys and values that a token keeps in 16 bits; None where nobody has said."""
        if self.kv_kib is not None:
            return 1024 * self.kv_kib
        shape = self.shape
        return 4 * shape.layers * shape.kv_heads * shape.head_dim if shape else None

    @property
    def mixed(self) -> bool:
        """Whether experts are mixed."""
        return self.active is not None


class Nothing(Section):
    """A name that is no model's."""

    called: tuple[str, ...] = Field(min_length=1)
    plans: tuple[Plan, ...] = ()
    instead: str
    note: str


class Registry(Section):
    """All models that are known by name."""

    models: tuple[Entry, ...] = Field(min_length=1)
    nothing: tuple[Nothing, ...] = ()

    @model_validator(mode="after")
    def _a_name_is_one_models(self) -> Registry:
        known = {entry.hub for entry in self.models}
        seen: dict[str, str] = {}
        for place, entry in enumerate(self.models):
            for name in {_bare(each) for each in (entry.hub, *entry.also)}:
                if seen.setdefault(name, entry.hub) != entry.hub:
                    raise Clash(f"{name} is {seen[name]} already", "models", place, "also")
        for place, each in enumerate(self.nothing):
            if each.instead not in known:
                raise Clash("is none of the models", "nothing", place, "instead")
        return self

    def find(self, name: str) -> Entry | None:
        """The model of that hub name, or of one that people use for it; None where it is not known."""
        exact = next((entry for entry in self.models if entry.hub == name), None)
        wanted = _bare(name)
        return exact or next((entry for entry in self.models if wanted in map(_bare, (entry.hub, *entry.also))), None)

    def correction(self, name: str) -> tuple[str, str] | None:
        """The right name for a wrong one, and why; None for a right one and for one that is not known."""
        for each in self.nothing:
            if _bare(name) in map(_bare, each.called):
                return each.instead, each.note
        entry = self.find(name)
        if entry is None or entry.hub == name:
            return None
        return entry.hub, entry.note or f"it is called {entry.hub}"

    def named(self, name: str) -> Entry:
        """The model of that name.

        Raises:
            RecipeError: there is none; names the nearest.
        """
        if entry := self.find(name):
            return entry
        if right := self.correction(name):
            raise RecipeError(f"there is no such model: {right[1]}", value=name, allowed=right[0])
        known = {_bare(each): entry.hub for entry in self.models for each in (entry.hub, *entry.also)}
        close = {known[match]: None for match in get_close_matches(_bare(name), known, 3)}
        raise RecipeError("the registry has no such model", value=name,
                          allowed=", ".join(close) or "nightschool models lists them")  # fmt: skip


def _bare(name: str) -> str:
    return _ODD.sub("-", name.lower()).strip("-")


@cache
def registry(path: Path = FILE) -> Registry:
    """The registry that ships with us, or another.

    Raises:
        RecipeError: the file is not as it must be; names line and field.
    """
    tree = read_tree(path)
    try:
        return Registry.model_validate_json(orjson.dumps(tree.data), strict=True)
    except ValidationError as err:
        raise explain(err, tree, Registry.model_json_schema()) from None
