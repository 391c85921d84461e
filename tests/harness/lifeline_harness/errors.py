"""What can go wrong with the harness itself."""


class HarnessError(Exception):
    """Base of every error raised here."""


class StartError(HarnessError):
    """A program is missing, or does not come up."""


class WaitError(HarnessError):
    """What was waited for did not happen in time."""


class GoneError(HarnessError):
    """The process has ended, so what was asked for cannot happen."""


class SnippetError(HarnessError):
    """Python code that was run inside Blender raised; the message is its traceback."""


class RequestError(HarnessError):
    """The server answered a request with an error."""
