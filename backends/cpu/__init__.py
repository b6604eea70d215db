"""The CPU backend; `program.build` is its door."""
