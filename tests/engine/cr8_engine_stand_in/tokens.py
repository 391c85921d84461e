"""Tokens of the real engine's kind: JSON Web Tokens, HS256, that name a user and expire."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from cr8_engine_stand_in.errors import TokenError

ISSUER = "cr8-engine"
# Of the tokens that Blenders get.
KIND = "blender-service"
# Two hours, as the real engine's.
LIFETIME = 7200.0

_HEADER = {"alg": "HS256", "typ": "JWT"}


def mint(secret: str, username: str, lifetime: float = LIFETIME) -> str:
    """A token for this user that is good for so many seconds; negative ones have passed."""
    now = int(time.time())
    claims = {
        "sub": username,
        "iss": ISSUER,
        "iat": now,
        "exp": int(now + lifetime),
        "type": KIND,
    }
    signed = f"{_encoded(json.dumps(_HEADER).encode())}.{_encoded(json.dumps(claims).encode())}"
    return f"{signed}.{_encoded(_signature(secret, signed))}"


def subject(secret: str, token: str) -> str:
    """Whom it names. Raises TokenError."""
    signed, _, signature = token.rpartition(".")
    header, _, body = signed.partition(".")
    try:
        if _decoded(header).get("alg") != _HEADER["alg"]:
            raise TokenError("wrong token: not signed by HS256")
        given = base64.urlsafe_b64decode(_padded(signature))
        claims = _decoded(body)
    except ValueError as error:
        raise TokenError("wrong token: not a JSON Web Token") from error
    if not hmac.compare_digest(given, _signature(secret, signed)):
        raise TokenError("wrong token: its signature is not ours")
    if claims.get("iss") != ISSUER or claims.get("type") != KIND:
        raise TokenError("wrong token: for something else")
    expires, name = claims.get("exp"), claims.get("sub")
    if not isinstance(expires, int) or not isinstance(name, str):
        raise TokenError("wrong token: it lacks a claim")
    if expires <= time.time():
        raise TokenError("the token has expired")
    return name


def _signature(secret: str, signed: str) -> bytes:
    return hmac.new(secret.encode(), signed.encode(errors="replace"), hashlib.sha256).digest()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _padded(text: str) -> bytes:
    return text.encode("ascii") + b"=" * (-len(text) % 4)


def _decoded(text: str) -> dict[str, Any]:
    content = json.loads(base64.urlsafe_b64decode(_padded(text)))
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content
