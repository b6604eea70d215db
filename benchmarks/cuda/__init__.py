"""The CUDA backend on a GPU: whether it is right, and how fast it is. `python -m benchmarks.cuda`."""
