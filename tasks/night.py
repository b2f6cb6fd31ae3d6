"""A night on disk: its recipe, its keys, and the rows that its phases have made so far."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from blocks.disk import write_whole, writing
from blocks.engines import resolve
from blocks.glance import Glance
from blocks.links import open_own, refuse_links
from blocks.pid_file import ProcessId, identify
from blocks.places import WORK, is_shared, open_store
from blocks.store import Store
from nightschool.chunks import Chunk, Manifest, Together, combined
from nightschool.errors import RecipeError, WorldError
from nightschool.lineage import Keys, lineage
from nightschool.recipe.load import dump_recipe, load_recipe
from nightschool.recipe.models import Model
from nightschool.recipe.naming import is_night_name, night_name
from nightschool.recipe.recipe import Recipe
from nightschool.tinymodels import spec
from tasks.facts import Facts, facts_in
from tasks.given_up import resumed
from tasks.sizes import fix, sized

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True)
class Night:
    """One night in a store. `engines`: by model name, as resolved on the machine that began it.

    `accepted`: phases whose rows an older recipe made, each with what has changed since; `pins`: the keys, by place,
    under which these rows lie. Nothing is made under them.
    """

    recipe: Recipe
    name: str
    store: Store
    engines: dict[str, str]
    accepted: Mapping[str, str] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    _made_once: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @cached_property
    def keys(self) -> Keys:
        return lineage(self.recipe, self.engines, self.pins)

    @property
    def as_written(self) -> Night:
        """This night with nothing accepted but what its recipe says."""
        return replace(self, accepted={}, pins={})

    @property
    def where(self) -> str:
        """What a command must be given to find this night's store: " --store s3://bucket"."""
        return "" if self.store.place == str(WORK) else f" --store {shlex.quote(self.store.place)}"

    @property
    def flags(self) -> str:
        """What any command must be given to mean this very night: " --accept-stale answers --store s3://bucket"."""
        return "".join([*(f" --accept-stale {phase}" for phase in self.accepted), self.where])

    @property
    def at_a_glance(self) -> Night:
        """This night as it looks at this moment, for whoever only looks; one on machines that share is as it is."""
        return self if is_shared(self.store.place) else replace(self, store=Glance(self.store.root))

    @property
    def dir(self) -> Path:
        return self.store.root / "nights" / self.name

    @property
    def servers(self) -> Path:
        """Where the logs of its model servers lie, and pid files of all that it starts."""
        return self.dir / "servers"

    @cached_property
    def stamp(self) -> str:
        """Changes whenever the recipe does: a night that was begun anew is never mistaken for the old one."""
        # Worked out once: 10 ms, and every chunk is told (measured, benchmarks/orchestration.py).
        text = dump_recipe(self.recipe) + repr(sorted(self.engines.items()) + sorted(self.pins.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @classmethod
    def plan(cls, recipe: Recipe, name: str | None = None) -> Night:
        """The night that this recipe would be, without what it has given up before; nothing is written.

        Raises:
            RecipeError: a night can't be called that.
        """
        store = open_store(recipe.store)
        recipe, name = resumed(recipe, store, name or recipe.name)
        engines = {model.name: resolve(model, recipe.serve) for model in recipe.models}
        return cls(sized(recipe, engines, store), night_name(name), store, engines)

    @classmethod
    def open(cls, place: str | Path, name: str) -> Night:
        """A night that was begun before in the store at `place`, a folder or a URL.

        Raises:
            RecipeError: there is no such night in this store; names those that are.
            DataError: another version of this program began it, or its folder is a link.
        """
        store = open_store(place)
        folder = store.root / "nights" / name
        if good := is_night_name(name):
            store.bring(f"nights/{name}")
            refuse_links(folder)
        if not good or not (folder / "night.json").is_file():
            known = ", ".join(store.nights()) or "none"
            raise RecipeError("no such night in this store", file=f"{place}/nights", value=name, allowed=known)
        recipe, facts = load_recipe(folder / "recipe.resolved.yaml"), facts_in(folder)
        return cls(recipe, name, store, facts.engines, facts.accepted, facts.pins)

    def begin(self) -> None:
        """Puts recipe, engines and keys on file."""
        fix(self.recipe, self.engines, self.store)
        with writing(self.dir):
            write_whole(self.dir / "recipe.resolved.yaml", dump_recipe(self.recipe).encode())
            facts = Facts(
                name=self.name,
                engines=self.engines,
                keys=dict(self.keys),
                rules=self.keys.rules,
                accepted=dict(self.accepted),
                pins=dict(self.pins),
            )
            write_whole(self.dir / "night.json", facts.model_dump_json(indent=1).encode())
        self.store.mirror(self.dir / "recipe.resolved.yaml", self.dir / "night.json")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Refuses a second run of the same night at the same time; the kernel frees the lock on any death."""
        with writing(self.dir):
            file = os.fdopen(open_own(self.dir / "lock", os.O_RDWR), "r+")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WorldError(f"night {self.name} is running already ({self.dir}): wait, or give --name") from None
            write_whole(self._runner, identify(os.getpid()).model_dump_json().encode())
            try:
                yield
            finally:
                self._runner.unlink(missing_ok=True)

    @property
    def running(self) -> bool:
        """Whether a process of this machine is running the night now."""
        try:
            return ProcessId.model_validate_json(self._runner.read_bytes()).find() is not None
        except (OSError, ValidationError):
            return False

    @property
    def _runner(self) -> Path:
        return self.dir / "running.json"

    def chunk(
        self, place: str, index: int, ordinal: int, label: str, *, rows: int, after: Sequence[Manifest | Together] = ()
    ) -> Chunk:
        """A chunk of this night at `place` ("pool", "answers/alba"), made from what is in `after`."""
        phase, _, part = place.partition("/")
        inputs = tuple((one.place, one.digest) for one in after)
        if len(inputs) > 1:
            inputs = (("all", combined(dict(inputs))),)
        asks = self.keys.asks.get(place, "")
        return Chunk(phase, self.keys[place], index, ordinal, label, part=part, rows=rows, inputs=inputs, asks=asks)

    def made(self, chunks: Sequence[Chunk]) -> list[tuple[Chunk, Manifest]]:
        """The whole ones among them, in order."""
        return [(chunk, manifest) for chunk in chunks if (manifest := self.store.manifest(chunk))]

    def rows(self, chunks: Sequence[Chunk], kind: type[R]) -> list[R]:
        """Kept rows of all whole chunks, in order."""
        return list(self.each(chunks, kind))

    def each(self, chunks: Sequence[Chunk], kind: type[R], *, dropped: bool = False) -> Iterator[R]:
        """Kept (or dropped) rows of all whole chunks, in order, one at a time."""
        for chunk, _ in self.made(chunks):
            yield from self.store.read(chunk, kind.model_validate_json, dropped=dropped)

    def read(self, chunks: Sequence[Chunk], parse: Callable[[bytes], T]) -> Iterator[T]:
        """What `parse` makes of each kept line of all whole chunks, in order: `rows` for phases with millions."""
        for chunk, _ in self.made(chunks):
            yield from self.store.read(chunk, parse)

    def once(self, what: str, make: Callable[[], T]) -> T:
        """A thing that several chunks need, made once in a process; `what` names all that decides it."""
        if what not in self._made_once:
            self._made_once[what] = make()
        return self._made_once[what]

    def run_of(self, chunks: Sequence[Chunk], kind: type[R], chunk_rows: int, index: int) -> list[R]:
        """The run of kept rows that chunk `index` of a later phase is made of; only these are parsed."""
        return list(self.read_run(chunks, kind.model_validate_json, chunk_rows, index))

    def read_run(
        self, chunks: Sequence[Chunk], parse: Callable[[bytes], T], chunk_rows: int, index: int
    ) -> Iterator[T]:
        """`run_of`, as `parse` reads a line."""
        start = index * chunk_rows
        for chunk, manifest in self.made(chunks):
            yield from self.store.read(chunk, parse, start=max(0, start), stop=max(0, start + chunk_rows))
            start -= manifest.rows

    def model_path(self, model: Model) -> str:
        """A folder for school:NAME, else the id or folder as the recipe has it."""
        if not model.model.startswith("school:") or self.recipe.school is None:
            return model.model
        name = model.model.removeprefix("school:")
        for run in spec.runs(self.recipe.school):
            if name in run.models:
                folder = self.store.root / "school" / self.keys[f"school/{run.name}"]
                return str(folder / "chunk-00000.out" / name)
        known = ", ".join(name for run in spec.runs(self.recipe.school) for name in run.models)
        raise RecipeError("the school makes no such model", field=model.name, value=model.model, allowed=known)


@lru_cache(maxsize=8)
def opened(place: str, name: str, stamp: str) -> Night:
    """The night for a task that was given its name; `stamp` keeps a changed recipe from meeting an old one."""
    night = Night.open(place, name)
    if night.stamp != stamp:
        raise WorldError(f"night {name}: its recipe changed while it ran")
    return night
