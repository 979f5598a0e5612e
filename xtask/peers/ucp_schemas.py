"""Writes what ucp-sdk knows of each kind of message as a JSON Schema, for ucp-schema to judge by.

ucp-sdk's models are made from the schemas of the protocol's version that is spoken here. They say less than those: that
there is exactly one total, or when a total needs words, is lost in Python."""

import json
import pathlib
import sys

from pydantic import TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema
from ucp_sdk.models.schemas import ucp
from ucp_sdk.models.schemas.shopping import (
    catalog_lookup,
    catalog_search,
    checkout_complete_request,
    checkout_create_request,
    checkout_update_request,
    fulfillment,
    order,
)
from ucp_sdk.models.schemas.shopping.types import (
    error_response,
    fulfillment_create_request,
    fulfillment_update_request,
)


# What may be `null` in a message, for nothing chosen, and for not known.
NULLABLE = {"selected_destination_id", "selected_option_id", "fulfillable_on"}


class Absent(GenerateJsonSchema):
    """What may be absent is `None` in the models. Nothing else of it may be `null` in a message."""

    def nullable_schema(self, schema):
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema):
        return self.generate_inner(schema["schema"])


def flat(schema, parts):
    """Without references and words: ucp-schema takes long to put them in, each time it starts."""
    if isinstance(schema, list):
        return [flat(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return flat(parts[schema["$ref"].removeprefix("#/$defs/")], parts)
    words = {name for name in ("title", "description") if isinstance(schema.get(name), str)}
    flatter = {name: flat(one, parts) for name, one in schema.items() if name != "$defs" and name not in words}
    for name in NULLABLE & flatter.keys():
        flatter[name] = {"anyOf": [flatter[name], {"type": "null"}]}
    return flatter


def with_fulfillment(base, of):
    """The extension adds itself to requests, too; the SDK has it for answers only."""
    return create_model(base.__name__, __base__=base, fulfillment=(of | None, None))


def profile(of):
    return create_model("Profile", ucp=(of, ...), signing_keys=(list[dict[str, str]] | None, None))


KINDS = {
    "business_profile": profile(ucp.BusinessSchema),
    "platform_profile": profile(ucp.PlatformSchema),
    "checkout_create_request": with_fulfillment(
        checkout_create_request.CheckoutCreateRequest, fulfillment_create_request.FulfillmentCreateRequest
    ),
    "checkout_update_request": with_fulfillment(
        checkout_update_request.CheckoutUpdateRequest, fulfillment_update_request.FulfillmentUpdateRequest
    ),
    "checkout_complete_request": checkout_complete_request.CheckoutCompleteRequest,
    "checkout": fulfillment.Checkout,
    "order": order.Order,
    "search_request": catalog_search.SearchRequest,
    "search_response": catalog_search.SearchResponse,
    "lookup_request": catalog_lookup.LookupRequest,
    "lookup_response": catalog_lookup.LookupResponse,
    "get_product_request": catalog_lookup.GetProductRequest,
    "get_product_response": catalog_lookup.GetProductResponse,
    "error_response": error_response.ErrorResponse,
    "ucp": ucp.Base,
}

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for kind, model in KINDS.items():
    schema = TypeAdapter(model).json_schema(schema_generator=Absent)
    schema = flat(schema, schema.get("$defs", {}))
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    (folder / f"{kind}.json").write_text(json.dumps(schema, indent=1))
