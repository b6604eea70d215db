"""What is wrong with a function that comes from outside, or with the device that a kernel runs on."""


class Unusable(Exception):
    """A function that cannot be part of a kernel; the text goes on the sentence that names it."""


class Unavailable(Exception):
    """There is nothing to run on; the text says what is missing and what to do."""


class CallFailed(Exception):
    """A function from outside that raised an exception in a run, or gave what is no number; the text is a sentence."""


class DeviceFailed(CallFailed):
    """A device that failed in a run: what it held is lost; the text is a sentence."""


class CodeFailed(RuntimeError):
    """Compiled code ended before its time."""
