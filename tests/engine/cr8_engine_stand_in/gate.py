"""Who is let in."""

from __future__ import annotations

import hmac
from typing import NamedTuple

from cr8_engine_stand_in import tokens
from cr8_engine_stand_in.errors import RefusedError, TokenError
from cr8_engine_stand_in.options import Options


class Who(NamedTuple):
    """Whoever connects: a name that was verified, and what else it says of itself."""

    username: str
    blend_file_path: str
    blend_object_key: str


class Gate:
    """As the real engine's: by a token that names the user, or, in local mode, by the name."""

    def __init__(self, options: Options) -> None:
        self._secret = options.secret
        self._shared = options.shared_token
        self._local = options.local

    def who(self, auth: object) -> Who:
        """Raises RefusedError."""
        if not isinstance(auth, dict) or not auth:
            raise RefusedError("authentication failed: nothing was given")

        def text(name: str) -> str:
            value = auth.get(name)
            return value if isinstance(value, str) else ""

        username = self._named(text("token"), text("username"))
        return Who(username, text("blend_file_path"), text("blend_object_key"))

    def _named(self, token: str, username: str) -> str:
        if not token and not self._local:
            raise RefusedError("authentication failed: wrong token: none was given")
        if token and not self._is_shared(token):
            try:
                return tokens.subject(self._secret, token)
            except TokenError as error:
                raise RefusedError(f"authentication failed: {error}") from error
        if not username:
            raise RefusedError("authentication failed: no username")
        return username

    def _is_shared(self, token: str) -> bool:
        given = token.encode(errors="replace")
        return bool(self._shared) and hmac.compare_digest(given, self._shared.encode())
