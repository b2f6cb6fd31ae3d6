"""A scripted model server: a real HTTP server on loopback that stands in for teachers, faults included."""

from nightschool.recipe.script import Script, ScriptedModel

__all__ = ["Script", "ScriptedModel"]
