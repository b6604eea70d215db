"""Values that vary in time, one kind a file. Any parameter may be driven by any of them."""
