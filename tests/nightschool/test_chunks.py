"""Chunks that are all made from the same many: one input, which changes with any of them."""

from __future__ import annotations

from nightschool.chunks import FileMark, Manifest, Together, combined, together


def manifest(index: int, content: str = "a") -> Manifest:
    mark = FileMark(bytes=1, sha256="0", content=content)
    return Manifest(
        phase="filters", key="k", index=index, rows=1, dropped={}, files={"rows": mark}, inputs={}, figures={}
    )  # fmt: skip


def test_many_are_one_input_named_by_all_their_digests() -> None:
    many = [manifest(0), manifest(1), manifest(2)]
    assert together(many) == [Together(combined({one.place: one.digest for one in many}))]
    assert together(many) == together([manifest(index) for index in range(3)])
    others = [[manifest(0), manifest(1), manifest(2, "b")], many[:2], many[::-1], [*many[:2], manifest(3)]]
    assert all(together(each) != together(many) for each in others)


def test_one_stands_for_itself_and_none_for_nothing() -> None:
    assert together([manifest(4)])[0].place == "filters/k/00004"
    assert together([]) == []
