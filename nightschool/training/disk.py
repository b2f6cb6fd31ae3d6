"""A disk that takes no more while a stage is being saved."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from safetensors import SafetensorError

from nightschool.errors import WorldError

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
# What torch's and safetensors' writers say in place of an error number.
_SAID = ("file write failed", "no space left", "file too large", "quota exceeded", "unexpected pos")


@contextmanager
def within_disk() -> Iterator[None]:
    """What the libraries say of a full disk becomes an error for people.

    Raises:
        WorldError: the block could not write what it had to; a checkpoint that is half is not gone on from.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise _told(error) from error
    except (RuntimeError, SafetensorError) as error:
        if not any(said in str(error).lower() for said in _SAID):
            raise
        raise _told(error) from error


def _told(error: Exception) -> WorldError:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return WorldError(
        f"the disk takes no more ({first}): make room and try again; it goes on from the last whole checkpoint"
    )
