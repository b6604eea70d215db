"""Kernel to machine code. Knows nothing of neurons, texts or units."""
