"""Recipe fields of a stage that several machines train together."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from nightschool.recipe.section import Clash, Positive, Section, execution


class Devices(Section):
    """On what a stage is trained, so many machines and devices of each, and the rows of a step, which they share."""

    devices: Positive | Literal["auto"] = execution(
        "auto", description="auto: every GPU there is where launcher starts several processes, else one"
    )
    launcher: Literal["plain", "ddp", "fsdp", "deepspeed"] = execution(
        "plain", description="plain: one process; the others start one per device, and share weights out or not"
    )
    machines: int = execution(1, ge=1, le=256, description="machines that train together, each with so many devices")
    main_address: str | None = execution(
        None, pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]*$", description="the night's own machine, as the others reach it"
    )
    main_port: int = execution(29_500, ge=1024, le=65_535, description="where it waits for the others")
    batch_size: Positive = 16
    accumulation: Positive = Field(default=1)

    @model_validator(mode="after")
    def _devices_have_a_launcher(self) -> Devices:
        if self.launcher == "plain" and (self.devices not in (1, "auto") or self.machines > 1):
            many = f"{self.machines} machines" if self.machines > 1 else f"{self.devices} devices"
            raise Clash(f"{many} need a launcher that starts as many processes", "launcher",
                        allowed="ddp, fsdp, deepspeed")  # fmt: skip
        if isinstance(self.devices, int) and self.batch_size * self.accumulation % (self.devices * self.machines):
            raise Clash("rows per step (batch_size x accumulation) do not divide by the devices", "devices")
        return self

    @model_validator(mode="after")
    def _machines_can_meet(self) -> Devices:
        if self.machines > 1 and self.main_address is None:
            raise Clash(f"{self.machines} machines need the address at which they meet", "main_address",
                        allowed="the night's own machine, by a name or number that the others reach")  # fmt: skip
        if self.machines > 1 and self.devices == "auto":
            raise Clash("of several machines each has the same number of devices, which is to be said", "devices")
        if self.machines == 1 and self.main_address is not None:
            raise Clash("an address is for several machines that train together", "main_address", allowed="machines: 2")
        return self
