"""A journal's lines on a shared store while its chunk is being made: what a machine that is lost has paid for."""

from __future__ import annotations

from pathlib import Path

from blocks.disk import write_whole
from blocks.journal import good, line_of, packed_lines
from blocks.remote import Remote


class Segments:
    """A journal's whole lines, copied there as they come, each run of them under a name of its own."""

    def __init__(self, remote: Remote, folder: str, journal: Path, me: str) -> None:
        self._remote, self._folder, self._journal, self._me = remote, folder, journal, me
        self._sent = 0

    def send(self) -> None:
        if not self._journal.exists():
            return
        with self._journal.open("rb") as file:
            file.seek(self._sent)
            data = file.read()
        data = data[: data.rfind(b"\n") + 1]
        if data:
            self._remote.write(f"{self._folder}/{self._me}-{self._sent:015d}", data)
            self._sent += len(data)

    def gather(self) -> None:
        """Puts replies that another machine paid for into this machine's journal."""
        sent = [self._remote.read(f"{self._folder}/{name}") or b"" for name in self._remote.names(self._folder)]
        if not sent:
            return
        old = self._journal.read_bytes() if self._journal.exists() else b"".join(packed_lines(self._journal))
        have = dict.fromkeys(good(old))
        new = [line_of(body) for body in dict.fromkeys(good(b"\n".join(sent))) if body not in have]
        write_whole(self._journal, old[: old.rfind(b"\n") + 1] + b"".join(new))
