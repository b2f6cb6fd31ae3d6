"""Whether a night could run on this machine, and how to mend what stands in its way."""
