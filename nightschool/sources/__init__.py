"""From files of all kinds to questions: readers, the mapping of fields, kinds of data known by name."""
