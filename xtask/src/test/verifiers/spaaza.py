"""Verifies Spaaza deliveries as a receiver written in Python does. Usage: spaaza.py FILE

FILE holds a JSON array of {secret, refuses, headers, body (base64)}. With a secret, a delivery must be accepted as it
came, and refused once anything of it was changed and by whoever knows another secret; without one it must be recognised
as not signed.
"""

import base64
import hashlib
import hmac
import json
import sys

HEADER = "x-spaaza-hmac-sha256"


def verify(raw_body, header, secret):
    """The receiver's recipe: base64 of HMAC-SHA256 over the raw body, keyed with the shared secret as it stands."""
    if header is None:
        return False
    expected = base64.b64encode(hmac.new(secret.encode(), raw_body, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(expected, header)


def changed(body, at):
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]


def check_signed(delivery, body):
    secret, header = delivery["secret"], delivery["headers"].get(HEADER)
    if not verify(body, header, secret):
        sys.exit(f"Python: a delivery does not verify: {delivery['headers']} {body[:200]}")
    hexadecimal = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    # Every byte of a short body, some of a long one.
    places = range(0, len(body), max(1, len(body) // 500))
    refused = {
        "without its header": verify(body, None, secret),
        "without its padding": verify(body, header.rstrip("="), secret),
        "with another signature": verify(body, ("B" if header[0] == "A" else "A") + header[1:], secret),
        "with a hexadecimal signature": verify(body, hexadecimal, secret),
        "with the bytes that the secret encodes": verify(body, header, bytes.fromhex(secret).decode("latin-1")),
        "with a byte more": verify(body + b" ", header, secret),
        "with a byte less": verify(body[:-1], header, secret),
        "with a changed byte": any(verify(changed(body, at), header, secret) for at in places),
    }
    for other in delivery["refuses"]:
        refused[f"with another secret, {other}"] = verify(body, header, other)
    for what, accepted in refused.items():
        if accepted:
            sys.exit(f"Python: a delivery {what} verifies")


def main(path):
    with open(path, encoding="utf-8") as file:
        deliveries = json.load(file)
    signed = [delivery for delivery in deliveries if delivery["secret"] is not None]
    for delivery in signed:
        check_signed(delivery, base64.b64decode(delivery["body"]))
    unsigned = [delivery for delivery in deliveries if delivery["secret"] is None]
    for delivery in unsigned:
        if HEADER in delivery["headers"]:
            sys.exit(f"Python: a delivery that nobody signs has a signature: {delivery['headers']}")
    if not signed or not unsigned:
        sys.exit(f"Python: expected deliveries of both kinds, got {len(signed)} and {len(unsigned)}")
    print(
        f"{len(signed)} deliveries verify by the recipe for Python, none that was changed or another's, "
        f"and {len(unsigned)} are not signed"
    )


main(sys.argv[1])
