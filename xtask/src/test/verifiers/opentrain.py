"""Verifies OpenTrain deliveries as its receivers are told to in Python. Usage: opentrain.py FILE

FILE holds a JSON array of {secret, headers, body (base64)}. Each must be accepted as it came, and refused once anything
of it was changed, when it is old, and by whoever knows another secret.
"""

import base64
import hashlib
import hmac
import json
import re
import sys
import time

HEADER = "x-opentrain-signature"
TOLERANCE_S = 5 * 60


def verify(raw_body, header, secret, now_s=None):
    """The receiver's recipe: raw bytes, the whole secret as the key, constant time, a limited age."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    t = parts.get("t", "")
    if not re.fullmatch(r"[0-9]+", t):
        return False
    now_s = int(time.time()) if now_s is None else now_s
    if abs(now_s - int(t)) > TOLERANCE_S:
        return False
    expected = hmac.new(secret.encode(), t.encode() + b"." + raw_body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts.get("v1", ""))


def changed(body, at):
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]


def check(delivery):
    secret, header = delivery["secret"], delivery["headers"][HEADER]
    body = base64.b64decode(delivery["body"])
    if not verify(body, header, secret):
        sys.exit(f"Python: a delivery does not verify: {delivery['headers']} {body[:200]}")
    t, digest = re.fullmatch(r"t=([0-9]+),v1=([0-9a-f]{64})", header).groups()
    t = int(t)
    if not verify(body, header, secret, t + TOLERANCE_S) or not verify(body, header, secret, t - TOLERANCE_S):
        sys.exit("Python: a delivery of five minutes does not verify")
    other_end = "1" if secret.endswith("0") else "0"
    # Every byte of a short body, some of a long one.
    places = range(0, len(body), max(1, len(body) // 500))
    refused = {
        "older than five minutes": verify(body, header, secret, t + TOLERANCE_S + 1),
        "from the future": verify(body, header, secret, t - TOLERANCE_S - 1),
        "with another time": verify(body, f"t={t + 1},v1={digest}", secret),
        "with another signature": verify(body, f"t={t},v1={'1' if digest[0] == '0' else '0'}{digest[1:]}", secret),
        "with another secret": verify(body, header, secret[:-1] + other_end),
        "with the secret without its prefix": verify(body, header, secret.removeprefix("whsec_")),
        "with a byte more": verify(body + b" ", header, secret),
        "with a byte less": verify(body[:-1], header, secret),
        "with a changed byte": any(verify(changed(body, at), header, secret) for at in places),
    }
    for what, accepted in refused.items():
        if accepted:
            sys.exit(f"Python: a delivery {what} verifies")


def main(path):
    with open(path, encoding="utf-8") as file:
        deliveries = json.load(file)
    if not deliveries:
        sys.exit("Python: there is no delivery to verify")
    for delivery in deliveries:
        check(delivery)
    print(f"{len(deliveries)} deliveries verify by the recipe for Python, and none that was changed, old or another's")


main(sys.argv[1])
