#!/usr/bin/env python3
"""A third-party system in nothing but Python's standard library: an electrician who looks before coming.

    vestibule-enabler serve --data DIR --http 127.0.0.1:8080
    vestibule-enabler pair --data DIR --role third_party     # prints six digits
    python3 third_party.py http://127.0.0.1:8080 DIGITS
"""

import json
import sys
from urllib import error, parse, request

url, headers, visits, last = sys.argv[1], {"Content-Type": "application/json"}, {}, 0


def ask(method, path, body=None):
    """One request to the enabler; a refusal comes back as a problem with its `code`."""
    data = json.dumps(body).encode() if body else None
    try:
        with request.urlopen(request.Request(url + path, data, headers, method=method), timeout=60) as answer:
            return json.loads(answer.read() or "null")
    except error.HTTPError as problem:
        return json.load(problem)


def serve(asked):
    """P1.14: does what is asked for, once for each call and step, and says what came of it."""
    key, wish = (asked["call"], asked["step"]), asked["input"]
    if asked["undo"]:
        print("cancelled" if visits.pop(key, None) else "nothing to cancel", flush=True)
        return {"done": None}
    if key not in visits:
        if not isinstance(wish, dict) or "twin" not in wish:
            return {"failed": {"reason": "say which thing to look at: {\"twin\": \"SYSTEM/NAME\"}"}}
        # P1.15 to P1.19: how is the thing? Only what the user shares is told, and only while this call runs.
        twin = ask("GET", f"/v1/sii/users/{asked['user']}/twins/{parse.quote(str(wish['twin']))}?call={asked['call']}")
        if "code" in twin:
            return {"failed": {"reason": twin["detail"]}}
        light = twin["readings"].get("light", {}).get("on", {}).get("value")
        visits[key] = {"visit": len(visits) + 1, "light": light}
        print("visits", twin["info"]["name"], flush=True)
    return {"done": visits[key]}


# Who it is: six digits become a token, once. A real system keeps the token.
headers["Authorization"] = "Bearer " + ask("POST", "/v1/pairing", {"code": sys.argv[2], "name": "electrician"})["token"]
# P1.1: what it offers. A visit is booked anew each time it is asked for, and taken back by `cancel`, which can be asked
# twice: so the enabler asks for a visit once, and cancels one that it heard nothing of.
thing = {"type": "string", "format": "twin", "title": "What to look at"}
visit = {"name": "A visit", "charge": {"amount": 4500, "currency": "EUR", "per": "call"}, "undo": "cancel",
         "input": {"type": "object", "properties": {"twin": thing}, "required": ["twin"]}}
services = {"visit": visit, "cancel": {"name": "Take a visit back", "idempotent": True}}
info = {"id": "electrician", "kind": "third_party", "name": "The electrician", "services": services, "heartbeat_ms": 0}
ask("PUT", "/v1/sii/registration", info)
print("ready", flush=True)

while True:
    for message in ask("GET", f"/v1/sii/inbox?after={last}&wait_ms=25000")["messages"]:
        last, what = message["sequence"], message["message"]
        if "authorize" in what:  # P1.8: everybody may, for as long as they like.
            asked = what["authorize"]
            account = f"customer {asked['user'][-4:]}"
            granted = {"services": asked["services"], "until": asked["until"], "account": account}
            ask("POST", "/v1/sii/answers", {"inquiry": asked["inquiry"], "answer": {"granted": granted}})
        elif "invoke" in what:
            said = {name: what["invoke"][name] for name in ("call", "step", "undo")}
            ask("POST", "/v1/sii/results", {**said, "result": serve(what["invoke"])})
        elif "revoked" in what:
            print("revoked", flush=True)
