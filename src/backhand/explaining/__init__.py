"""From data to a Document: which lines, which sentences, which figure. No format, and nothing that is not in the data."""
