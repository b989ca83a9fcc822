"""Verifies deliveries with code that is not ours. Usage: standard.py FILE

FILE holds a JSON array of {scheme, accepts, refuses, headers, body (base64)}. Each delivery must verify with every
secret that accepts, with none that refuses, and never when its body or the secret was changed.
"""

import base64
import hashlib
import hmac
import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def reference_accepts(delivery, secret, body):
    try:
        Webhook(secret).verify(body, delivery["headers"])
    except WebhookVerificationError:
        return False
    return True


def hex_accepts(delivery, secret, body):
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(digest, delivery["headers"][delivery["scheme"]])


def other_than(secret):
    # The first character after the prefix: the last one may hold bits that base64 does not use.
    at = len("whsec_") if secret.startswith("whsec_") else 0
    other = "B" if secret[at] == "A" else "A"
    return secret[:at] + other + secret[at + 1:]


def main(path):
    with open(path, encoding="utf-8") as file:
        deliveries = json.load(file)
    counts = {}
    for delivery in deliveries:
        scheme = delivery["scheme"]
        accepts = reference_accepts if scheme == "standardwebhooks" else hex_accepts
        body = base64.b64decode(delivery["body"])
        for secret in delivery["accepts"]:
            if not accepts(delivery, secret, body):
                sys.exit(f"{scheme}: a delivery does not verify: {delivery['headers']} {body[:200]}")
            # A change that leaves the body JSON, so that nothing but the signature can tell.
            if accepts(delivery, secret, body + b" "):
                sys.exit(f"{scheme}: a changed body verifies")
            if accepts(delivery, other_than(secret), body):
                sys.exit(f"{scheme}: a wrong secret verifies")
        for secret in delivery["refuses"]:
            if accepts(delivery, secret, body):
                sys.exit(f"{scheme}: a secret that signs no more verifies: {delivery['headers']}")
        counts[scheme] = counts.get(scheme, 0) + 1
    if len(counts) != 2:
        sys.exit(f"expected deliveries of both schemes, got {counts}")
    for scheme, count in sorted(counts.items()):
        print(f"{count} deliveries verify by {scheme}, by the secrets that sign and no others")


main(sys.argv[1])
