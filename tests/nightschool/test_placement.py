"""Devices dealt over replicas and models: each its own, as named or as found."""

from __future__ import annotations

import pytest

from nightschool.errors import RecipeError
from nightschool.placement import Groups, NoRoom, Want, deal, flaw


@pytest.mark.parametrize(
    ("wants", "devices", "expected"),
    [
        ([Want("a"), Want("b")], [0, 1, 2], {"a": ((0,),), "b": ((1,),)}),
        ([Want("a", replicas=2), Want("b", replicas=2)], range(4), {"a": ((0,), (1,)), "b": ((2,), (3,))}),
        ([Want("a", tensor_parallel=2, replicas=2)], range(4), {"a": ((0, 1), (2, 3))}),
        ([Want("a", tensor_parallel=4), Want("b")], [0, 1, 2, 3, 5], {"a": ((0, 1, 2, 3),), "b": ((5,),)}),
        ([Want("a"), Want("b", gpus=((0,),))], [0, 1], {"a": ((1,),), "b": ((0,),)}),
        ([Want("a", gpus=(2, 3), replicas=2), Want("b")], range(4), {"a": ((2,), (3,)), "b": ((0,),)}),
        ([Want("a", gpus=((3, 1),), tensor_parallel=2)], range(4), {"a": ((3, 1),)}),
        ([Want("a", tensor_parallel=2, data_parallel=2), Want("b")], range(5), {"a": ((0, 1, 2, 3),), "b": ((4,),)}),
        ([Want("a", pipeline_parallel=2, replicas=2)], range(4), {"a": ((0, 1), (2, 3))}),
        ([Want(name, share=0.3) for name in "abc"], [0], {"a": ((0,),), "b": ((0,),), "c": ((0,),)}),
        ([Want(name, share=0.45) for name in "abc"], [0, 1], {"a": ((0,),), "b": ((1,),), "c": ((0,),)}),
        ([Want("a", replicas=3)], [], {"a": ((), (), ())}),
    ],
)
def test_every_replica_has_its_own(wants: list[Want], devices: range, expected: dict[str, Groups]) -> None:
    assert deal(wants, devices) == expected


@pytest.mark.parametrize(
    ("wants", "devices"),
    [
        ([Want("a"), Want("b")], [0]),
        ([Want("a", tensor_parallel=2)], [0]),
        ([Want("a", tensor_parallel=2, data_parallel=2)], [0, 1, 2]),
        ([Want("a", share=0.9), Want("b", share=0.2)], [0]),
        ([Want("a", gpus=((0,),)), Want("b", gpus=((0,),))], [0, 1]),
        ([Want("a", gpus=(0,), replicas=2)], [0, 1]),
    ],
)
def test_what_does_not_fit_at_once_is_told_apart(wants: list[Want], devices: list[int]) -> None:
    with pytest.raises(NoRoom):
        deal(wants, devices)


@pytest.mark.parametrize("gpus", [(7,), ((7,),)])
@pytest.mark.parametrize("devices", [[0, 1], []])
def test_a_device_that_is_not_there(gpus: Groups, devices: list[int]) -> None:
    with pytest.raises(RecipeError, match="no such device") as told:
        deal([Want("a", gpus=gpus)], devices)
    assert not isinstance(told.value, NoRoom)


@pytest.mark.parametrize(
    ("want", "says"),
    [
        (Want("a", replicas=2, gpus=((0,),)), "1 groups for 2 replicas"),
        (Want("a", tensor_parallel=2, gpus=((0,),)), "tensor_parallel 2"),
        (Want("a", replicas=2, gpus=((0,), (0,))), "twice"),
        (Want("a", gpus=(0, 0)), "twice"),
        (Want("a", gpus=(-1,)), "from 0"),
        (Want("a", tensor_parallel=3, gpus=(0, 1)), "2 devices for tensor_parallel 3"),
        (Want("a", data_parallel=2, tensor_parallel=2, gpus=(0, 1)), "tensor_parallel 2 x data_parallel 2"),
        (Want("a", pipeline_parallel=2, gpus=((0,),)), "group [0] for pipeline_parallel 2"),
        (Want("a", data_parallel=2, gpus=(0, 1)), None),
        (Want("a", gpus=(0, 1)), None),
        (Want("a", gpus=()), None),
    ],
)
def test_a_wish_that_no_machine_could_grant(want: Want, says: str | None) -> None:
    assert (says in (flaw(want) or "")) if says else flaw(want) is None
