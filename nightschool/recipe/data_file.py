"""From files named in a recipe to their place, digest and rows: a file that changes is another file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, WithJsonSchema, field_validator

from nightschool.errors import DataError, NightError
from nightschool.recipe.section import Clash, Positive, Section, execution
from nightschool.records import Question
from nightschool.sources.files import digest, files_of, has_canary
from nightschool.sources.kinds import KINDS, KindName, Names
from nightschool.sources.load import Loaded, Where, each, load
from nightschool.sources.mapping import Form

FieldName = Annotated[str, Field(min_length=1)]
Several = Annotated[tuple[FieldName, ...], Field(min_length=1)]


class Fields(Section):
    """Names of a file's fields; those that are left out are the kind's."""

    question: FieldName | Several | None = Field(default=None, description="one field, or several that are joined")
    answer: FieldName | None = Field(default=None, description="the right answer, where the file has it")
    choices: FieldName | Several | None = Field(
        default=None, description="a field that lists them, or a field for each"
    )
    letter: FieldName | None = Field(default=None, description="letter, label or place (from 0) of the right choice")
    topic: FieldName | None = None
    level: FieldName | None = None
    id: FieldName | None = Field(default=None, description="what the file calls its row; exports name it so")

    def names(self, kind: KindName) -> Names:
        """Of all parts of a question, in rows of this kind."""
        given = {name: (value,) if name in ("question", "choices") and isinstance(value, str) else value
                 for name, value in self if value is not None}  # fmt: skip
        return KINDS[kind].names._replace(**given)


class DataFile(Section):
    """Files of rows as they were when the recipe was read; where they lie is no part of their identity.

    `fields`: of its first row; `choices`: of the row that has fewest; `canary`: it asks to be kept out of training.
    """

    paths: tuple[str, ...] = execution(..., min_length=1)
    sha256: str
    rows: int = execution(..., ge=1)
    fields: tuple[str, ...] = execution(())
    choices: int = execution(0, ge=0)
    canary: bool = execution(False)


class Hub(Section):
    """A data set of the hub, by the names that datasets.load_dataset takes; a revision keeps it as it is today."""

    hub: FieldName
    config: FieldName | None = None
    split: FieldName | None = None
    revision: FieldName | None = None


# What was read and is wanted again, none of it in memory: a night looks at its file as it is planned and as it begins,
# and then takes the rows (2 s each for 100,000).
_kept: dict[object, Loaded] = {}
_MOST_KEPT = 16
# Has a data set brought here, and says where its files lie.
Bring = Callable[[Hub], tuple[Path, ...]]


def _look(value: Any, info: ValidationInfo) -> Any:
    """Names become the files that they name; what a night wrote down is taken as it is."""
    if isinstance(value, dict) and "hub" in value:
        value = [str(path) for path in _brought(value, info)]
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) for name in names):
        if isinstance(value, dict):
            return {name: tuple(each) if isinstance(each, list) else each for name, each in value.items()}
        return value
    paths = tuple(_place(name, info) for name in names)
    given = dict(info.data)
    try:
        where, form = _where(paths, given), _form(given)
        files = files_of(paths, where.split)
        sha256 = digest(files)
        found = _seen(where, form, given.get("max_bad_rows", 0), sha256)
        return {"paths": tuple(str(path) for path in paths), "sha256": sha256, "rows": found.rows,
                "fields": found.fields, "choices": found.choices, "canary": has_canary(files)}  # fmt: skip
    except OSError as err:
        raise Clash(f"{err.filename or paths[0]} cannot be read: {err.strerror}", allowed="a file or folder") from None
    except NightError as err:
        raise Clash(str(err)) from None


def _brought(value: dict[str, Any], info: ValidationInfo) -> tuple[Path, ...]:
    try:
        hub = Hub.model_validate(value)
    except ValidationError as err:
        first = err.errors()[0]
        raise Clash(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}", allowed="hub, config, split, revision"
        ) from None
    bring: Bring | None = (info.context or {}).get("bring")
    if bring is None:
        raise Clash("data of the hub is not brought here")
    return bring(hub)


def _place(name: str, info: ValidationInfo) -> Path:
    beside = Path((info.context or {}).get("folder", ".")) / name
    try:
        return (beside if beside.exists() else Path(name) if Path(name).exists() else beside).absolute()
    except (OSError, ValueError) as err:
        raise Clash(f"no file can be called so: {getattr(err, 'strerror', None) or err}") from None


QuestionFile = Annotated[
    DataFile,
    BeforeValidator(_look),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
                Hub.model_json_schema(),
            ],
            "description": "a file (.jsonl, .json, .csv, .tsv, .parquet, .arrow), a folder of them or of the datasets "
            "library, or several, relative to the recipe or to the current folder; or {hub: NAME, config, split, "
            "revision}",
        }
    ),
    Field(description="questions that are there already"),
]


class Source(Section):
    """Questions that are there already: files, and how their rows are read. `file` is looked at last, by the others."""

    kind: KindName = Field(default="plain", description="a kind of data whose fields and answers are known")
    rows: FieldName | None = Field(default=None, description="where a JSON document has its list of rows: data.rows")
    split: FieldName | None = Field(default=None, description="of a data set that has several")
    encoding: str = Field(default="utf-8", pattern="^(utf-8|utf-16|latin-1|cp1252)$", description="of text files")
    fields: Fields = Fields()
    levels: tuple[int | str, ...] | None = Field(
        default=None, min_length=1, description="only questions of these levels: a file's, or 1 to 3 of the generator"
    )
    integers: tuple[int, int] | None = Field(
        default=None, description="only rows whose answer is a whole number from the first to the second"
    )
    limit: Positive | None = Field(default=None, description="only the first so many rows of the file")
    max_bad_rows: float = execution(
        0, ge=0, description="rows of the file that may be bad: a share below 1, or a count"
    )
    file: QuestionFile | None = None

    @field_validator("integers")
    @classmethod
    def _in_order(cls, integers: tuple[int, int] | None) -> tuple[int, int] | None:
        if integers and integers[0] > integers[1]:
            raise Clash("the first is larger than the second")
        return integers

    @property
    def has_truth(self) -> bool:
        """Whether the file says what is right."""
        names = self.fields.names(self.kind)
        return self.file is not None and (names.answer or names.letter) is not None

    def load(self) -> Loaded:
        """What the files hold now.

        Raises:
            DataError: a file can't be read, or has too many bad rows, or none at all; names file and line.
        """
        paths, given = self._paths, dict(self)
        with _readable(paths):
            where, form = _where(paths, given), _form(given)
            return _seen(where, form, self.max_bad_rows, digest(files_of(paths, where.split)))

    def each(self) -> list[Question]:
        """Every row that asks something, in the files' order, those that ask the same included.

        Raises:
            DataError: a file can't be read.
        """
        paths, given = self._paths, dict(self)
        with _readable(paths):
            return [row for row in each(_where(paths, given), _form(given)) if isinstance(row, Question)]

    def digest(self) -> str:
        """Of the files as they are now.

        Raises:
            DataError: one can't be read.
        """
        with _readable(self._paths):
            return digest(files_of(self._paths, self.split))

    @property
    def _paths(self) -> tuple[Path, ...]:
        assert self.file is not None
        return tuple(Path(path) for path in self.file.paths)


@contextmanager
def _readable(paths: Sequence[Path]) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise DataError(f"cannot be read: {err.strerror}", file=err.filename or paths[0]) from None


def _seen(where: Where, form: Form, max_bad_rows: float, sha256: str) -> Loaded:
    """As `load`, kept for the next who wants the same rows of the same bytes."""
    key = (where, form, max_bad_rows, sha256)
    _kept[key] = found = _kept.pop(key, None) or load(where, form, max_bad_rows=max_bad_rows)
    while len(_kept) > _MOST_KEPT:
        del _kept[next(iter(_kept))]
    return found


def _where(paths: tuple[Path, ...], given: Mapping[str, Any]) -> Where:
    return Where(paths, given.get("encoding", "utf-8"), given.get("split"), given.get("rows"), given.get("limit"))


def _form(given: Mapping[str, Any]) -> Form:
    kind, fields = given.get("kind", "plain"), given.get("fields") or Fields()
    levels = frozenset(f"{level:g}" if isinstance(level, int) else level for level in given.get("levels") or ())
    return Form(kind, fields.names(kind), levels, given.get("integers"))
