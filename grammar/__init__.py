"""Text to syntax tree. Knows nothing of neurons beyond the words of the language."""
