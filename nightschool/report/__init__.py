"""The report of a night: figures in, one page and a few lines out."""
