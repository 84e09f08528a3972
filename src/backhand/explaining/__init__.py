"""From data to a Document: which lines, sentences and figure. No format, nothing that is not in the data."""
