"""What Schemathesis is told of an enabler: which things there are, and what a stranger may hear."""

import os
import re
import zlib

import requests
import schemathesis
from hypothesis import strategies as st

# The token of a system, where the run is one, and the interface that it speaks at.
SPEAKS, INTERFACE = os.environ.get("VESTIBULE_SPEAKS"), os.environ.get("VESTIBULE_INTERFACE", "")
# Half of what is asked is asked of things that there are; else nothing but "there is no such thing" would be heard.
# `bench/lamp` is played by the test, `fuzz/thing` is what a run that is a system describes.
TWIN = "fuzz/thing" if INTERFACE == "dii" else "bench/lamp"
KNOWN = {
    "system": TWIN.split("/")[0],
    "twin": TWIN.split("/")[1],
    "feature": "light",
    "property": "on",
    "action": "turn_on",
    "event": "press",
    "user": "ada",
    "role": "guest",
    "rule": "fuzz",
    "command": "01" * 16,
    "call": "03" * 16,
    "lease": "02" * 16,
}
KIND = "third_party" if INTERFACE == "sii" else "digital_twin"
SYSTEM = {"id": "fuzz", "kind": KIND, "name": "A system that says anything"}
ON = {"light": {"name": "Light", "kind": "light", "properties": {"on": {"value": "bool"}}, "events": ["press"]}}
THING = {"twin": {"id": "fuzz/thing", "name": "A thing", "features": ON}, "reachable": True}
# A poll that waits as long as it may makes the run long and finds nothing.
LONGEST_WAIT_MS = 20

# No pattern says which texts are cells of the H3 grid.
schemathesis.openapi.format("h3", st.sampled_from(["8828308281fffff", "8001fffffffffff", "8f28308280f18f2"]))


def known(name, value):
    return KNOWN.get(name, value) if isinstance(value, str) else value


def fit(case):
    """Leaves out headers that do not fit their pattern: the coverage phase does not read patterns of headers."""
    for parameter in case.operation.definition.raw.get("parameters", []):
        name, pattern = parameter["name"], parameter.get("schema", {}).get("pattern")
        if parameter["in"] == "header" and pattern and case.headers and name in case.headers:
            if not re.search(pattern, str(case.headers[name])):
                if parameter.get("required"):
                    case.headers[name] = "fuzz"
                else:
                    del case.headers[name]


def whole(value):
    """JSON Schema takes 1.0 for a whole number; what reads JSON here does not, and no program writes one so."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    return value


def there(value):
    """The same body about things that there are."""
    if isinstance(value, list):
        return [there(item) for item in value]
    if not isinstance(value, dict):
        return value
    told = {}
    for name, item in value.items():
        if name == "twin" and isinstance(item, str):
            told[name] = TWIN
        elif name in ("feature", "property", "action", "event", "role"):
            told[name] = known(name, item)
        else:
            told[name] = there(item)
    return told


def register(base):
    """Systems speak once they are registered; every so often Schemathesis takes itself out."""
    headers = {"Authorization": f"Bearer {SPEAKS}"}
    for method, path, body in (("PUT", "registration", SYSTEM), ("POST", "twins", THING)):
        if path == "registration" or INTERFACE == "dii":
            requests.request(method, f"{base}/v1/{INTERFACE}/{path}", json=body, headers=headers, timeout=20)


def nobody(request):
    request.headers["Authorization"] = "Bearer " + "0" * 43
    return request


@schemathesis.hook
def before_call(context, case, kwargs):
    wait = (case.query or {}).get("wait_ms")
    if str(wait).isdigit() and LONGEST_WAIT_MS < int(wait) <= 30_000:
        case.query["wait_ms"] = LONGEST_WAIT_MS
    if case.operation.path == "/auth/logout" and not os.environ.get("VESTIBULE_STRANGER"):
        # Whoever logs out learns nothing more: the token of nobody instead.
        kwargs["auth"] = nobody
    mode = case.meta.generation.mode if case.meta else None
    if mode is None or not mode.is_positive:
        return
    fit(case)
    path, parameters = case.operation.path, dict(case.path_parameters or {})
    number = zlib.crc32(repr((case.method, path, parameters, case.body)).encode("utf-8", "replace"))
    if isinstance(case.body, (dict, list)):
        case.body = whole(case.body)
    # Whoever takes the lamp's system away finds nothing from then on.
    if number % 2 == 0 or (case.method.upper(), path) == ("DELETE", "/v1/systems/{system}"):
        return
    if SPEAKS and path.startswith(f"/v1/{INTERFACE}/") and not path.endswith("/registration"):
        register(case.operation.schema.get_base_url().rstrip("/"))
    for name, value in parameters.items():
        case.path_parameters[name] = known(name, value)
    if isinstance(case.body, (dict, list)):
        case.body = there(case.body)
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = KNOWN[{"leases": "lease", "calls": "call"}.get(path.split("/")[-1], "command")]
    if isinstance(case.body, dict):
        if path.endswith("/registration"):
            case.body["id"], case.body["kind"] = "fuzz", KIND
        if path == "/v1/dii/twins" and isinstance(case.body.get("twin"), dict):
            case.body["twin"]["id"] = "fuzz/thing"
        # The path and the body name the same.
        for end, name in (("/v1/rules/{rule}", "rule"), ("/v1/users/{user}", "user")):
            if path == end:
                case.body["id"] = case.path_parameters[name]


def lists(value, name):
    """Whether a list stands under this name."""
    if isinstance(value, list):
        return any(lists(item, name) for item in value)
    if not isinstance(value, dict):
        return False
    return isinstance(value.get(name), list) or any(lists(item, name) for item in value.values())


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Members of an object in their order, as a list, are taken for the object: the same thing, said shorter."""
    wrong = re.search(r"(\w+): Incorrect type", failure.message)
    return not (failure.title == "Schema-violating request accepted" and wrong and lists(case.body, wrong[1]))


if os.environ.get("VESTIBULE_STRANGER"):

    @schemathesis.check
    def strangers_are_refused(context, response, case):
        if case.operation.definition.raw.get("security") == [{}]:
            return None
        # Who asks is seen before anything else; only what a path never takes needs no name.
        assert response.status_code in (401, 405), f"a stranger was answered {response.status_code}"
        return None
