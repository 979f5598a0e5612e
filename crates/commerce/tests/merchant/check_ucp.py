"""Reads a recording of a whole purchase with programs that are not ours: the models of ucp-sdk, and the signatures of
http-message-signatures. Prints what it has read; whatever is wrong is an exception."""

import base64
import hashlib
import json
import sys
from collections import Counter

from cryptography.hazmat.primitives.asymmetric import ec
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from http_message_signatures.structures import CaseInsensitiveDict
from ucp_sdk.models.schemas.shopping import (
    catalog_search,
    checkout,
    checkout_complete_request,
    checkout_create_request,
    checkout_update_request,
    order,
)

recording = json.load(open(sys.argv[1]))
read = Counter()


class Keys(HTTPSignatureKeyResolver):
    """The keys that the two profiles publish."""

    def resolve_public_key(self, key_id):
        number = lambda text: int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")
        jwk = recording["keys"][key_id]
        return ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), ec.SECP256R1()).public_key()


class Request:
    def __init__(self, one):
        self.method, self.url = one["method"], one["url"]
        self.headers = CaseInsensitiveDict(one["headers"])


class Response:
    def __init__(self, one):
        self.status_code, self.url = one["status"], one["url"]
        self.headers = CaseInsensitiveDict(one["answer_headers"])


def verify(message, body, needed):
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=Keys())
    (result,) = verifier.verify(message)
    covered = {name.strip('"') for name in result.covered_components}
    assert needed <= covered, (needed, covered)
    if body:
        digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() + ":"
        assert message.headers["content-digest"] == digest
    read["signatures"] += 1


def model(of, text):
    of.model_validate(json.loads(text))
    read[of.__name__] += 1


for one in recording["exchanges"]:
    path, method = one["path"], one["method"]
    needed = {"@method", "@authority", "@path", "ucp-agent"}
    if one["body"]:
        needed |= {"content-digest", "content-type"}
    verify(Request(one), one["body"], needed)
    verify(Response(one), one["answer"], {"@status", "content-digest", "content-type"})
    if path.endswith("/checkout-sessions"):
        model(checkout_create_request.CheckoutCreateRequest, one["body"])
        model(checkout.Checkout, one["answer"])
    elif "/checkout-sessions/" in path:
        if method == "PUT":
            model(checkout_update_request.CheckoutUpdateRequest, one["body"])
        elif path.endswith("/complete"):
            model(checkout_complete_request.CheckoutCompleteRequest, one["body"])
        model(checkout.Checkout, one["answer"])
    elif "/orders/" in path:
        model(order.Order, one["answer"])
    elif path.endswith("/catalog/search"):
        model(catalog_search.SearchRequest, one["body"])
        model(catalog_search.SearchResponse, one["answer"])

for hook in recording["webhooks"]:
    needed = {"@method", "@path", "ucp-agent", "content-digest", "content-type", "webhook-id", "webhook-timestamp"}
    verify(Request(hook), hook["body"], needed)
    model(order.Order, hook["body"])

print(json.dumps(read))
