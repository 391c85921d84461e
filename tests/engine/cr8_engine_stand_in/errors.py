"""What can go wrong."""


class EngineError(Exception):
    """Base of every error raised here."""


class OptionError(EngineError):
    """The command line or the environment makes no sense."""


class ListenError(EngineError):
    """The port cannot be had."""


class LaunchError(EngineError):
    """Blender cannot be started."""


class RequestError(EngineError):
    """A request over HTTP makes no sense."""


class NotConnectedError(RequestError):
    """No Blender of this user is connected."""


class TokenError(EngineError):
    """The token is nobody's, or not good any more."""


class RefusedError(EngineError):
    """Whoever connects is not let in; the message is why."""


class StoreError(EngineError):
    """The object store does not do what was asked for."""
