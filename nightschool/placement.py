"""From what models want to who gets which devices: every replica its own group, none twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nightschool.errors import RecipeError

Pool = tuple[int, ...]
Groups = tuple[tuple[int, ...], ...]
Gpus = Literal["auto"] | Pool | Groups
# Shares of a device are decimal fractions that a person wrote.
_ROUNDING = 1e-9


class NoRoom(RecipeError):
    """The devices do not suffice for all at once; for fewer at once they may."""


@dataclass(frozen=True, slots=True)
class Want:
    """What one model asks for: `replicas` groups of `devices`, `share` of the memory of each.

    A group has `data_parallel` copies of the weights behind one address, each over `tensor_parallel` devices in each of
    `pipeline_parallel` runs of layers. `gpus`: any devices, any of a pool, or a group for each replica in order.
    """

    name: str
    replicas: int = 1
    tensor_parallel: int = 1
    gpus: Gpus = "auto"
    share: float = 1.0
    pipeline_parallel: int = 1
    data_parallel: int = 1

    @property
    def devices(self) -> int:
        """How many devices a replica has."""
        return self.tensor_parallel * self.pipeline_parallel * self.data_parallel

    @property
    def told(self) -> str:
        """Why so many, by the fields that say so."""
        ways = {name: getattr(self, name) for name in ("tensor_parallel", "pipeline_parallel", "data_parallel")}
        return " x ".join(f"{name} {count}" for name, count in ways.items() if count > 1) or "tensor_parallel 1"

    @property
    def groups(self) -> Groups | None:
        """The groups that it names; None if it leaves them open."""
        if self.gpus == "auto" or not self.gpus or isinstance(self.gpus[0], int):
            return None
        return tuple(group for group in self.gpus if isinstance(group, tuple))

    @property
    def pool(self) -> Pool | None:
        """The devices that it may have; None for any."""
        if self.gpus == "auto" or not self.gpus:
            return None
        return tuple(device for part in self.gpus for device in ([part] if isinstance(part, int) else part))


def flaw(want: Want) -> str | None:
    """What is wrong with a wish whatever the machine has; None if nothing is."""
    groups, pool = want.groups, want.pool or ()
    if len(set(pool)) < len(pool):
        return "a device is named twice"
    if any(device < 0 for device in pool):
        return "devices count from 0"
    if groups is not None:
        if len(groups) != want.replicas:
            return f"{len(groups)} groups for {want.replicas} replicas"
        if wrong := next((group for group in groups if len(group) != want.devices), None):
            return f"group {list(wrong)} for {want.told}"
    elif pool and len(pool) < want.devices:
        return f"{len(pool)} devices for {want.told}"
    return None


def deal(wants: Sequence[Want], devices: Sequence[int]) -> dict[str, Groups]:
    """Devices for every replica of models that are up side by side; those who name groups first, the others in order.

    A device has room for shares that add up to 1: models share one only if each says what share of it is its own.

    Args:
        devices: numbers of the devices that this machine has, in order; none means that all run on the CPU.

    Returns:
        A group of devices for each replica by model; empty groups on a machine without devices.

    Raises:
        RecipeError: a named device is not there, or the wish is flawed.
        NoRoom: they do not suffice.
    """
    room = dict.fromkeys(devices, 1.0)
    found: dict[str, Groups] = {}
    for want in sorted(wants, key=lambda want: want.groups is None):
        if wrong := flaw(want):
            raise RecipeError(wrong, field=f"{want.name}.gpus")
        if absent := [device for device in want.pool or () if device not in room]:
            there = ", ".join(map(str, devices)) or "none on this machine"
            raise RecipeError("no such device", field=f"{want.name}.gpus", value=absent, allowed=there)
        named = want.groups or (None,) * want.replicas
        found[want.name] = tuple(_take(want, room, group) for group in named) if devices else ((),) * want.replicas
    return {want.name: found[want.name] for want in wants}


def _take(want: Want, room: dict[int, float], group: tuple[int, ...] | None) -> tuple[int, ...]:
    """One replica's devices, the emptiest that are open to it; their room shrinks."""
    free = _with_room(room, group or want.pool or tuple(room), want.share)
    taken = group if group and len(free) == len(group) else tuple(sorted(free[: want.devices]))
    if len(taken) < want.devices or (group and taken != group):
        wished = f"{want.replicas} x {want.devices}"
        message = f"{want.name} wants {wished} devices, and {len(room)} of them do not hold all that are up together"
        raise NoRoom(message, field="gpus")
    for device in taken:
        room[device] -= want.share
    return taken


def _with_room(room: Mapping[int, float], among: Sequence[int], share: float) -> list[int]:
    free = [device for device in among if room[device] >= share - _ROUNDING]
    return sorted(free, key=lambda device: -round(room[device], 6))
