"""Checks webhooks as a receiver in Python does: with the library of Standard Webhooks, and with
Ed25519 for those who hold a public key. Reads JSON from its input, and says of each what it thinks."""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def by_secret(secret, case):
    try:
        Webhook(secret).verify(case["body"].encode(), case["headers"])
        return True
    except WebhookVerificationError:
        return False


def by_public_key(public_key, case):
    key = base64.b64decode(public_key.removeprefix("whpk_"))
    headers = case["headers"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{case['body']}".encode()
    for part in headers["webhook-signature"].split(" "):
        version, signature = part.split(",")
        if version != "v1a":
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(signature), signed)
            return True
        except InvalidSignature:
            pass
    return False


asked = json.load(sys.stdin)
answers = [
    [by_secret(asked["secret"], case), by_public_key(asked["public_key"], case)]
    for case in asked["cases"]
]
json.dump(answers, sys.stdout)
