//! The document that describes the API (OpenAPI 3.1), generated from the handlers.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use super::Problem;

/// What no single handler says.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vestibule integration enabler",
        description = "MII, DII and SII of the integration enabler (ITU FGMV-29, Y.4240) as JSON over HTTP. Whoever \
            asks shows who they are with the bearer token that `POST /v1/pairing` gave, or with a client certificate \
            that was paired. Moments are milliseconds since the Unix epoch on the enabler's clock.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem)),
    modifiers(&Bearer),
    security(("bearer" = [])),
    tags(
        (name = "identity", description = "Who asks."),
        (name = "mii", description = "Metaverse systems: discover, look, act, be told."),
        (name = "dii", description = "Digital twin systems: register, describe, report, execute."),
        (name = "sii", description = "Third-party systems: register, agree with users, serve, ask for shared twins."),
        (name = "administration", description = "Owners: rules and the log."),
    )
)]
struct Frame;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// The document without paths.
pub(crate) fn frame() -> Document {
    Frame::openapi()
}
