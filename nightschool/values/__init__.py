"""From a completion to an answer that can be compared: a value, nothing found, or could not judge."""
