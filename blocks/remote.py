"""A folder on any file system that fsspec speaks to: objects by name, each written once and whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs

from nightschool.errors import RecipeError, WorldError

# Their names have slashes and no folders: to make one asks the server in vain, or is forbidden.
_BUCKETS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oci", "oss"}


class Remote:
    """Objects below a URL such as `s3://bucket/prefix`. Names are relative, with slashes.

    Nothing is renamed and nothing is overwritten that another machine reads, but for the beat of a lease.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        """`options` are for the driver of that kind of URL, credentials too."""
        self.url = url
        try:
            self._files, root = url_to_fs(url, use_listings_cache=False, **options or {})
        except (ImportError, ValueError, TypeError) as err:
            raise RecipeError(f"no such kind of store: {err}", field="store", value=url) from None
        self._root = root.rstrip("/")
        found = self._files.protocol
        self._is_bucket = bool(_BUCKETS.intersection({found} if isinstance(found, str) else found))

    def names(self, folder: str) -> list[str]:
        """Names of all objects right in a folder, sorted; none if there is no such folder."""
        with self._reaching(folder), _absent_is_nothing():
            found = self._files.ls(self._at(folder), detail=True, refresh=True)
            return sorted(one["name"].rsplit("/", 1)[-1] for one in found if one["type"] == "file")
        return []

    def folders(self, folder: str, ending: str = "") -> list[str]:
        """Names of the folders right in a folder that hold something and end so, sorted."""
        with self._reaching(folder), _absent_is_nothing():
            found = self._files.ls(self._at(folder), detail=True, refresh=True)
            names = [one["name"].rstrip("/") for one in found if one["type"] == "directory"]
            ended = [name for name in names if name.endswith(ending)]
            # Elsewhere a folder stays when all in it has been deleted.
            filled = ended if self._is_bucket else [name for name in ended if self._files.ls(name, detail=False)]
            return sorted(name.rsplit("/", 1)[-1] for name in filled)
        return []

    def find(self, folder: str, part: str, ending: str) -> list[str]:
        """Names of all objects in a folder, at any depth, that have `part` in their last word and end so; sorted."""
        with self._reaching(folder), _absent_is_nothing():
            start = len(self._at(""))
            names = [str(name)[start:] for name in self._files.find(self._at(folder), refresh=True)]
            return sorted(one for one in names if part in one.rsplit("/", 1)[-1] and one.endswith(ending))
        return []

    def read(self, name: str) -> bytes | None:
        """An object's bytes; None if there is none."""
        with self._reaching(name), _absent_is_nothing():
            found = self._files.cat_file(self._at(name))
            return found if isinstance(found, bytes) else bytes(found)
        return None

    def write(self, name: str, data: bytes) -> None:
        with self._reaching(name):
            self._parent(name)
            self._files.pipe_file(self._at(name), data)

    def create(self, name: str, data: bytes) -> bool:
        """Writes an object that is not there yet; False if somebody else was first."""
        with self._reaching(name):
            self._parent(name)
            try:
                with self._files.open(self._at(name), "xb") as file:
                    file.write(data)
            except FileExistsError:
                return False
            return True

    def put(self, path: Path, name: str) -> None:
        """Copies a file of this machine there."""
        with self._reaching(name):
            self._parent(name)
            self._files.put_file(str(path), self._at(name))

    def get(self, name: str, path: Path) -> bool:
        """Copies an object here; False if there is none."""
        with self._reaching(name), _absent_is_nothing():
            self._files.get_file(self._at(name), str(path))
            return True
        return False

    def delete(self, *names: str) -> None:
        """Objects that are there or not, and folders with all that is in them."""
        for name in names:
            with self._reaching(name), _absent_is_nothing():
                self._files.rm(self._at(name), recursive=True)

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _parent(self, name: str) -> None:
        if not self._is_bucket:
            self._files.makedirs(self._at(name).rsplit("/", 1)[0], exist_ok=True)

    @contextmanager
    def _reaching(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as err:
            raise WorldError(f"{self.url}/{name}: the store cannot be reached: {err.strerror or err}") from err


@contextmanager
def _absent_is_nothing() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        return
