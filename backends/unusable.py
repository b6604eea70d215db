"""What is wrong with a function that comes from outside."""


class Unusable(Exception):
    """A function that cannot be part of a kernel; the text goes on the sentence that names it."""


class CallFailed(Exception):
    """A function from outside that raised an exception in a run, or gave what is no number; the text is a sentence."""


class CodeFailed(RuntimeError):
    """Compiled code ended before its time."""
