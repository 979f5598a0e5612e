//! The directory's own Thing Description (WoT Discovery 1.0, 7.3).

use serde_json::{Value as Json, json};

use crate::{CONTEXT, DIRECTORY, Site};

/// The Thing Description of the directory: how its things are listed, retrieved and watched.
#[must_use]
pub fn directory(site: &Site) -> Json {
    let (things, root) = (site.things(), format!("{}{}", site.base().trim_end_matches('/'), DIRECTORY));
    let event = |kind: &str, title: &str| {
        json!({
            "title": title,
            "data": { "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] },
            "forms": [{
                "op": ["subscribeevent", "unsubscribeevent"],
                "href": format!("{root}/events/{kind}"),
                "subprotocol": "sse",
                "contentType": "text/event-stream",
            }],
        })
    };
    json!({
        "@context": [CONTEXT, "https://www.w3.org/2022/wot/discovery"],
        "@type": "ThingDirectory",
        "title": "The twins of this enabler",
        "base": site.base(),
        "securityDefinitions": { "bearer": { "scheme": "bearer", "in": "header", "format": "opaque" } },
        "security": ["bearer"],
        "properties": {
            "things": {
                "title": "Things that the asker may see",
                "type": "array",
                "readOnly": true,
                "uriVariables": {
                    "after": { "title": "Things after this one, by its id", "type": "string" },
                    "limit": { "title": "At most so many", "type": "integer", "minimum": 1 },
                },
                "forms": [{
                    "op": "readproperty",
                    "href": format!("{things}{{?after,limit}}"),
                    "htv:methodName": "GET",
                    "contentType": "application/ld+json",
                }],
            },
        },
        "actions": {
            "retrieveThing": {
                "title": "One thing's description",
                "safe": true,
                "idempotent": true,
                "uriVariables": { "id": { "@type": "ThingID", "title": "Its id", "type": "string" } },
                "output": { "type": "object" },
                "forms": [{
                    "op": "invokeaction",
                    "href": format!("{things}/{{id}}"),
                    "htv:methodName": "GET",
                    "response": { "contentType": crate::MEDIA_TYPE },
                }],
            },
        },
        "events": {
            "thingCreated": event("thing_created", "A thing came"),
            "thingUpdated": event("thing_updated", "A thing's description changed"),
            "thingDeleted": event("thing_deleted", "A thing is gone, or may no longer be seen"),
        },
    })
}
