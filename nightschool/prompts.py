"""From a prompt file to messages: placeholders only, never code."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from nightschool.errors import RecipeError
from nightschool.wire import Message

_HEADING = re.compile(r"^\[(system|user)\]\s*$", re.MULTILINE)
_DRAFT = re.compile(r"^.*(?<!\$)\$(?:draft\b|\{draft\}).*\n?", re.MULTILINE)


class Prompt(BaseModel):
    """The text of a prompt file; part of the identity of whatever asks with it, wherever the `file` lies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str | None
    user: str
    file: str | None = Field(default=None, description="where the text is from, as the recipe names it")

    def identity(self) -> dict[str, str | None]:
        """What decides a reply, JSON-ready: the words, and not their file."""
        return {"system": self.system, "user": self.user}

    @model_serializer(mode="wrap")
    def _without_no_file(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if name != "file" or value is not None}

    @property
    def shows_draft(self) -> bool:
        """Whether it has a place for a draft of the answer."""
        return any(_DRAFT.search(text) for text in (self.system, self.user) if text)

    @property
    def without_draft(self) -> Prompt:
        """The same without the lines that hold $draft: the question alone, with no word of a draft."""
        system = _DRAFT.sub("", self.system).strip() if self.system else None
        return self.model_copy(update={"system": system or None, "user": _DRAFT.sub("", self.user).strip()})

    def messages(self, *, draft: str | None = None, **fields: str) -> tuple[Message, ...]:
        """The conversation with every $placeholder filled in.

        Args:
            draft: of an answer; where there is none, the lines that would show it are left out.

        Raises:
            RecipeError: the text names a placeholder that the phase does not give.
        """
        text = self.without_draft if draft is None else self
        fields |= {} if draft is None else {"draft": draft}
        try:
            user = Template(text.user).substitute(fields)
            system = Template(text.system).substitute(fields) if text.system else None
        except (KeyError, ValueError) as err:
            given = ", ".join(f"${name}" for name in sorted(fields))
            raise RecipeError(f"prompt has a placeholder that cannot be filled: {err}", allowed=given) from None
        turns = [Message(role="user", content=user)]
        return (Message(role="system", content=system), *turns) if system else tuple(turns)


def load_prompt(path: Path) -> Prompt:
    """A file with a [user] section and, if wanted, a [system] section before it.

    Raises:
        RecipeError: the file is missing, is not text, or has no [user] section.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as err:  # a file that is no text, a name that is no file's
        raise RecipeError(f"prompt file cannot be read: {err}", file=path) from None
    parts = _HEADING.split(text)
    sections = {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
    if not sections.get("user"):
        raise RecipeError("prompt file has no [user] section", file=path, allowed="[system] (optional), [user]")
    return Prompt(system=sections.get("system") or None, user=sections["user"])
