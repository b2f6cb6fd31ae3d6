"""One step, done once: read a chunk, ask, decide, commit the chunk."""
