"""The CUDA backend; `program.build` is its door, `machine.obstacle` says why it cannot be used here."""
