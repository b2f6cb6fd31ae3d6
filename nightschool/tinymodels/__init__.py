"""From the school's puzzles to a tokenizer and small decoders that answer and write questions."""
