"""From a compiled kernel to results: populations, values, inputs, the run loop, recordings."""
