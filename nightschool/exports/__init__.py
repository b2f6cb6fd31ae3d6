"""From rows of a night to the rows that other programs load."""
