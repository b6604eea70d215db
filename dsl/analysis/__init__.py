"""The checking of one model, part by part; `dsl.analyse` is the door."""
