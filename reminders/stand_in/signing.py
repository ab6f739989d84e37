"""Signing as the providers do: what Twilio and Telnyx put in the headers of a report."""

import base64
import hashlib
import hmac

from reminders.channels import ed25519


def twilio(token: str, url: str, fields: dict[str, str]) -> str:
    """X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and the sorted fields, name by value."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def telnyx(seed: bytes, timestamp: str, body: bytes) -> str:
    """telnyx-signature-ed25519: base64 of Ed25519 over the time, a bar and the raw body."""
    scalar, prefix = _secrets(seed)
    public = ed25519.compressed(ed25519.multiplied(scalar, ed25519.BASE))
    message = timestamp.encode() + b"|" + body
    nonce = ed25519.digest(prefix, message)
    commitment = ed25519.compressed(ed25519.multiplied(nonce, ed25519.BASE))
    factor = (nonce + ed25519.digest(commitment, public, message) * scalar) % ed25519.ORDER
    return base64.b64encode(commitment + factor.to_bytes(32, "little")).decode()


def telnyx_public_key(seed: bytes) -> str:
    """What Telnyx's portal shows as the account's public key (base64)."""
    scalar, _ = _secrets(seed)
    return base64.b64encode(ed25519.compressed(ed25519.multiplied(scalar, ed25519.BASE))).decode()


def _secrets(seed: bytes) -> tuple[int, bytes]:
    """The scalar and the prefix of a private key of 32 bytes (RFC 8032, 5.1.5)."""
    hashed = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(hashed[:32], "little")
    return scalar & ((1 << 254) - 8) | (1 << 254), hashed[32:]
