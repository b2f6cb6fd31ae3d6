"""A scripted model server: a real HTTP server on loopback that stands in for teachers, faults included."""

from blocks.scripted.script import Script, ScriptedModel

__all__ = ["Script", "ScriptedModel"]
