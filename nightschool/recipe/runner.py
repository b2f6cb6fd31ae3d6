"""Recipe section of the runner: what makes a phase's chunks, threads or processes, here or on a cluster."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple, get_args

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from nightschool.recipe.section import Clash, Section, execution

Kind = Literal["threads", "processes", "ray", "dask"]
# How the address of a cluster begins, and what is told where it does not.
_SCHEMES = {"ray": ("ray", ""), "dask": ("tcp", "tls")}
_ALLOWED = {
    "ray": "ray://HOST:PORT, or HOST:PORT on a machine of the cluster",
    "dask": "tcp://HOST:PORT, tls://HOST:PORT",
}
_ADDRESS = re.compile(r"(?:(?P<scheme>\w+)://)?(?P<host>\[[0-9a-fA-F:]+\]|[\w.-]+):(?P<port>[0-9]{1,5})", re.ASCII)


class At(NamedTuple):
    """The parts of a cluster's address."""

    scheme: str
    host: str
    port: int


def is_loopback(host: str) -> bool:
    """Whether only this machine is reached by that name."""
    return host in ("127.0.0.1", "localhost", "::1")


class Runner(Section):
    """Where chunks are made: `runner: processes`, or `runner: {kind: ray, address: "ray://head:10001"}`.

    The rows are the same wherever they were made, so it is no part of any key. Phases that need the night's own
    process (training, timing, people's decisions) stay with it.
    """

    kind: Kind = execution("threads", description="threads of the night, processes beside it, a Ray or a Dask cluster")
    address: str | None = execution(
        None,
        description="of a cluster that is up: ray://host:10001, tcp://host:8786; left out, one is started here",
    )
    workers: int | None = execution(
        None, ge=1, le=1024, description="chunks that are made side by side; left out, as many as there are cores here"
    )

    @model_validator(mode="before")
    @classmethod
    def _in_a_word(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _address_is_of_its_kind(self) -> Runner:
        if self.address is None:
            return self
        if self.kind not in _SCHEMES:
            raise Clash(f"{self.kind} are on this machine and have no address", "kind", allowed="ray, dask")
        if self.at is None or self.at.scheme not in _SCHEMES[self.kind]:
            raise Clash("is no address of such a cluster", "address", allowed=_ALLOWED[self.kind])
        return self

    @property
    def at(self) -> At | None:
        """The address in parts; None for whatever is started on this machine."""
        found = _ADDRESS.fullmatch(self.address or "")
        return At(found["scheme"] or "", found["host"].strip("[]"), int(found["port"])) if found else None

    @property
    def is_near(self) -> bool:
        """Whether all of it is on this machine."""
        return self.at is None or is_loopback(self.at.host)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "enum": list(get_args(Kind))}, handler(core)]}
