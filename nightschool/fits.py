"""From a model and a machine to whether one fits the other, for serving and for training; estimates, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from nightschool.registry import Entry, Form

# Requests in flight times tokens of each, at the least that is of any use: eight of 4,096.
KV_TOKENS = 32_768
# Rows in a micro-batch times tokens of each.
BATCH_TOKENS = 4_096
RANK = 16
_SHARE = 0.9  # what vLLM takes of a device unless it is told otherwise
_FIXED_GB, _FIXED_SHARE = 0.5, 0.02  # of a device, for the driver's context and what is computed on the way
_IMPORTS_GB = 1.1  # measured: a process that has imported torch and TRL
_ADAM_BYTES = 16  # of a weight that is trained: itself, gradient, two moments, four bytes each
_NF4_BYTES = 0.52  # of a weight in 4 bits with its share of doubly quantised scales (arXiv 2305.14314)
_LOGIT_BYTES = 10  # of a logit: bf16, its float32 copy, and the gradient
_LAYER_BYTES = 34  # of a token and hidden unit inside the layer that is computed again (arXiv 2205.05198)
_MOST_DEVICES = 64


@dataclass(frozen=True, slots=True)
class Room:
    """Devices of one size, in GB each; without a GPU it is the main memory, and one."""

    devices: int
    each: float
    gpu: bool
    cuda: bool = False

    @property
    def told(self) -> str:
        """As a person says it."""
        return f"{self.devices} x {self.each:.0f} GB" if self.gpu else f"{self.each:.0f} GB of main memory, no GPU"

    @property
    def usable(self) -> float:
        """GB of a device that weights, caches and states may take."""
        return _SHARE * self.each - (_FIXED_GB + _FIXED_SHARE * self.each if self.gpu else _IMPORTS_GB)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to hold a model: in which form, what each part takes in GB, on how many devices, or why not.

    `devices` is 0 where it does not fit; `whole` is False where a part is not known, so that it takes more.
    """

    how: str
    parts: dict[str, float] = field(default_factory=dict)
    devices: int = 0
    why_not: str = ""
    whole: bool = True

    @property
    def need(self) -> float:
        """GB in all."""
        return sum(self.parts.values())

    @property
    def told(self) -> str:
        """In a line: what it takes and where it fits, or why it does not."""
        if not self.parts:
            return self.why_not
        parts = " + ".join(f"{name} {count:,.1f}" for name, count in self.parts.items())
        taken = f"{'' if self.whole else 'at least '}{self.need:,.1f} GB ({parts})"
        return f"{taken}; {self.why_not}" if self.why_not else taken


def serving(entry: Entry, room: Room, *, tokens: int = KV_TOKENS) -> list[Way]:
    """A way for each form of the weights, the preferred one first.

    Args:
        tokens: of all requests in flight together, for which keys and values are kept.
    """
    if entry.hosted:
        return [Way("endpoint", devices=1, why_not="behind an API: no memory of yours")]
    heads = entry.shape.heads if entry.shape else None
    return [_placed(way, room, heads) for way in _served(entry, room, tokens)]


def training(entry: Entry, room: Room, *, rank: int = RANK, tokens: int = BATCH_TOKENS) -> list[Way]:
    """All weights, a low-rank adapter, and an adapter over 4 bits; with gradient checkpointing on a GPU.

    Several devices hold weights and states in shares (FSDP), and a micro-batch each.

    Args:
        rank: of the adapter on every linear map.
        tokens: of a micro-batch.
    """
    if entry.hosted:
        return [Way("full", why_not="behind an API: its weights are not to be had")]
    return [_placed(way, room, None) for way in _trained(entry, room, rank, tokens)]


def best(ways: list[Way]) -> Way:
    """The first way that fits; else the one that takes least of those that could, or that says why."""
    fitting = next((way for way in ways if way.devices), None)
    return fitting or min(ways, key=lambda way: (not way.parts, way.need))


def _served(entry: Entry, room: Room, tokens: int) -> Iterator[Way]:
    kept = {"cache": tokens * entry.kv_bytes / 1e9} if entry.kv_bytes else {}
    for form, weights in entry.weights.items():
        if why_not := _no_such_form(form, room):
            yield Way(form, why_not=why_not)
        else:
            yield Way(form, {"weights": weights, **kept}, whole=bool(kept))


def _no_such_form(form: Form, room: Room) -> str:
    return "" if room.gpu or form == "bf16" else f"{form} is for GPUs"


def _trained(entry: Entry, room: Room, rank: int, tokens: int) -> Iterator[Way]:
    params = entry.params or 0.0
    rest, whole = _rest(entry, tokens, checkpointing=room.gpu), entry.shape is not None
    adapter = {"adapter": _ADAM_BYTES * adapter_params(entry, rank) / 1e9} if whole else {}
    yield Way("full", {"weights and states": _ADAM_BYTES * params, **rest}, whole=whole)
    yield Way("lora", {"weights": params * (2 if room.gpu else 4), **adapter, **rest}, whole=whole)
    if not room.cuda:
        yield Way("qlora", why_not="4 bits by bitsandbytes want a CUDA device")
    elif entry.mixed:
        yield Way("qlora", why_not="bitsandbytes packs linear maps, and its experts are none")
    else:
        yield Way("qlora", {"weights in 4 bits": _packed(entry), **adapter, **rest}, whole=whole)


def adapter_params(entry: Entry, rank: int) -> int:
    """Parameters of a low-rank adapter on every linear map; 0 where the model's shape is not known."""
    shape = entry.shape
    return rank * shape.layers * sum(into + out for into, out in shape.linear) if shape else 0


def _packed(entry: Entry) -> float:
    """GB of a dense model whose linear maps are in 4 bits and whose embeddings are as they were."""
    kept = entry.shape.embeddings if entry.shape else 0
    return (_NF4_BYTES * ((entry.params or 0) * 1e9 - kept) + 2 * kept) / 1e9


def _rest(entry: Entry, tokens: int, *, checkpointing: bool) -> dict[str, float]:
    """GB of activations: each layer's input (or all of it, without checkpointing), one layer whole, the logits."""
    shape = entry.shape
    if shape is None:
        return {}
    layers = _LAYER_BYTES * shape.hidden * (1 if checkpointing else shape.layers)
    return {"activations": tokens * (2 * shape.hidden * shape.layers + layers + _LOGIT_BYTES * shape.vocab) / 1e9}


def _placed(way: Way, room: Room, heads: int | None) -> Way:
    """The way on as few devices of this size as hold it, in powers of two; 0 where the machine has fewer.

    Args:
        heads: what devices share, so that their number divides it; None where it may be any.
    """
    if not way.parts:
        return way
    counts = [2**power for power in range(_MOST_DEVICES.bit_length()) if heads is None or heads % 2**power == 0]
    own = way.parts.get("activations", 0.0)
    wanted = next((count for count in counts if own + (way.need - own) / count <= room.usable), 0)
    if wanted and wanted <= room.devices:
        return Way(way.how, way.parts, wanted, whole=way.whole)
    more = f"; {wanted} such devices would hold it" if wanted and room.gpu else ""
    why_not = f"{max(0.0, room.devices * room.usable):,.1f} GB usable here{more}"
    return Way(way.how, way.parts, why_not=why_not, whole=way.whole)
