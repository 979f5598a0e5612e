#!/usr/bin/env python3
"""A digital twin system in nothing but Python's standard library: one lamp.

    vestibule-enabler serve --data DIR --http 127.0.0.1:8080
    vestibule-enabler pair --data DIR --role twin_system     # prints six digits
    python3 twin_system.py http://127.0.0.1:8080 DIGITS
"""

import json
import sys
import urllib.error
import urllib.request

url, code = sys.argv[1], sys.argv[2]
token = None


def ask(method, path, body=None):
    """One request to the enabler; a refusal is raised with its words."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"}, method=method)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {path}: {json.load(error)['detail']}")


def report(lit):
    said = {"twin": "workshop/lamp", "feature": "light", "property": "on", "value": lit}
    ask("POST", "/v1/dii/reports", {"reports": [said]})


# Who it is: six digits become a token, once. A real system keeps the token.
token = ask("POST", "/v1/pairing", {"code": code, "name": "workshop"})["token"]

# P2.1: the system and its twin. What `turn_on` should lead to is said here, so that the enabler knows when it worked.
ask("PUT", "/v1/dii/registration", {"id": "workshop", "kind": "digital_twin", "name": "The workshop", "heartbeat_ms": 0})
expect = lambda lit: {"effects": [{"property": "on", "expect": {"value": lit}}]}
light = {
    "name": "Light",
    "kind": "light",
    "properties": {"on": {"value": "bool"}},
    "actions": {"turn_on": expect(True), "turn_off": expect(False)},
}
twin = {"id": "workshop/lamp", "name": "Workbench lamp", "features": {"light": light}}
ask("POST", "/v1/dii/twins", {"twin": twin, "reachable": True})
report(False)
print("ready", flush=True)

# P2.17 and P2.18: do what was decided, say how it went, report what is so now. `fence` tells who holds the lamp, where
# somebody does: what an earlier holder wanted is not done any more.
last = fence = 0
while True:
    for message in ask("GET", f"/v1/dii/inbox?after={last}&wait_ms=25000")["messages"]:
        last, what = message["sequence"], message["message"]
        if "execute" in what and not message["again"]:
            command = what["execute"]
            if (command.get("fence") or fence) < fence:
                continue
            print(command["action"], flush=True)
            ask("POST", "/v1/dii/outcomes", {"command": command["command"], "status": "executed"})
            report(command["action"] == "turn_on")
        elif "integrate" in what:
            fence = what["integrate"]["fence"]
            ask("POST", "/v1/dii/integrations", {"twin": what["integrate"]["twin"], "fence": fence})
        elif "inquire" in what:
            answer = {"twin": {"info": twin, "permission": "unrestricted"}}
            ask("POST", "/v1/dii/answers", {"inquiry": what["inquire"]["inquiry"], "answer": answer})
