"""Signing as the providers do: what Twilio and Telnyx put in the headers of a report."""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def twilio(token: str, url: str, fields: dict[str, str]) -> str:
    """X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and the sorted fields, name by value."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def telnyx(seed: bytes, timestamp: str, body: bytes) -> str:
    """telnyx-signature-ed25519: base64 of Ed25519 over the time, a bar and the raw body."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return base64.b64encode(key.sign(timestamp.encode() + b"|" + body)).decode()


def telnyx_public_key(seed: bytes) -> str:
    """What Telnyx's portal shows as the account's public key (base64)."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()
