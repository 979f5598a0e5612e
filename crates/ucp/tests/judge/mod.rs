//! What others say of messages: `ucp-schema`, the protocol's own program, with schemas of the version that is spoken here.
//!
//! It is a program and no dependency: as one it would have `serde_json` keep the order of members in every test, and what
//! is tested would not be what runs. The schemas are what `ucp-sdk` knows of each kind (`cargo xtask setup --peer ucp`
//! writes them). Where `VESTIBULE_UCP_SPEC` names a checkout of the protocol's repository at `v2026-04-08`, its own schemas
//! judge instead: they say more, and cannot be had from a registry.
//!
//! Not judged, since no schema of the protocol has it: handing over designs, quotes, tokens of the sandbox's payment
//! (extensions of ours), and problems (`{"code", "content"}` with a status of 4xx or 5xx), which only its text describes.
//! Members of our extensions stand in messages that are judged: the protocol lets everybody add some.
#![allow(dead_code, reason = "each test program judges its own messages")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    BusinessProfile,
    PlatformProfile,
    Create,
    Update,
    Complete,
    Checkout,
    /// Also what webhooks bring.
    Order,
    Search,
    Found,
    LookUp,
    LookedUp,
    GetProduct,
    Product,
    /// Instead of any answer.
    Refused,
    /// What webhooks are answered with.
    Accepted,
}

/// Where a kind's schema is.
struct Place {
    /// The SDK's file.
    of_sdk: &'static str,
    /// The specification's file, and the definition in it.
    of_spec: &'static str,
    part: &'static str,
    /// What members are there for: a request's or an answer's, and which.
    side: &'static str,
    operation: &'static str,
}

impl Kind {
    const fn place(self) -> Place {
        const CHECKOUT: &str = "schemas/shopping/fulfillment.json";
        const CHECKOUT_PART: &str = "#/$defs/dev.ucp.shopping.checkout";
        const SEARCH: &str = "schemas/shopping/catalog_search.json";
        const LOOK_UP: &str = "schemas/shopping/catalog_lookup.json";
        const PROFILE: &str = "discovery/profile_schema.json";
        let (of_sdk, of_spec, part, side, operation) = match self {
            Self::BusinessProfile => ("business_profile", PROFILE, "#/$defs/business_profile", "--response", "read"),
            Self::PlatformProfile => ("platform_profile", PROFILE, "#/$defs/platform_profile", "--response", "read"),
            Self::Create => ("checkout_create_request", CHECKOUT, CHECKOUT_PART, "--request", "create"),
            Self::Update => ("checkout_update_request", CHECKOUT, CHECKOUT_PART, "--request", "update"),
            Self::Complete => ("checkout_complete_request", CHECKOUT, CHECKOUT_PART, "--request", "complete"),
            Self::Checkout => ("checkout", CHECKOUT, CHECKOUT_PART, "--response", "read"),
            Self::Order => ("order", "schemas/shopping/order.json", "", "--response", "read"),
            Self::Search => ("search_request", SEARCH, "#/$defs/search_request", "--request", "search"),
            Self::Found => ("search_response", SEARCH, "#/$defs/search_response", "--response", "search"),
            Self::LookUp => ("lookup_request", LOOK_UP, "#/$defs/lookup_request", "--request", "lookup"),
            Self::LookedUp => ("lookup_response", LOOK_UP, "#/$defs/lookup_response", "--response", "lookup"),
            Self::GetProduct => {
                ("get_product_request", LOOK_UP, "#/$defs/get_product_request", "--request", "get_product")
            }
            Self::Product => {
                ("get_product_response", LOOK_UP, "#/$defs/get_product_response", "--response", "get_product")
            }
            Self::Refused => ("error_response", "schemas/shopping/types/error_response.json", "", "--response", "read"),
            Self::Accepted => ("ucp", "schemas/ucp.json", "#/$defs/base", "--response", "read"),
        };
        Place { of_sdk, of_spec, part, side, operation }
    }

    /// What a request is, if the protocol has a schema for it.
    pub fn of_request(method: &str, path: &str) -> Option<Self> {
        match (method, segments(path).as_slice()) {
            ("POST", ["ucp", "checkout-sessions"]) => Some(Self::Create),
            ("PUT", ["ucp", "checkout-sessions", _]) => Some(Self::Update),
            ("POST", ["ucp", "checkout-sessions", _, "complete"]) => Some(Self::Complete),
            ("POST", ["ucp", "catalog", "search"]) => Some(Self::Search),
            ("POST", ["ucp", "catalog", "lookup"]) => Some(Self::LookUp),
            ("POST", ["ucp", "catalog", "product"]) => Some(Self::GetProduct),
            ("POST", ["ucp", "webhooks", "orders"]) => Some(Self::Order),
            _ => None,
        }
    }

    /// What an answer is, if the protocol has a schema for it.
    pub fn of_answer(path: &str, status: u16, body: &[u8]) -> Option<Self> {
        if !matches!(status, 200 | 201) {
            return None;
        }
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        match segments(path).as_slice() {
            // Our extension says more of why it refuses.
            ["ucp", "designs", ..] => None,
            ["ucp", ..] if said["ucp"]["status"] == "error" => Some(Self::Refused),
            [".well-known", "ucp"] => Some(Self::BusinessProfile),
            ["ucp", "checkout-sessions", ..] => Some(Self::Checkout),
            ["ucp", "orders", ..] => Some(Self::Order),
            ["ucp", "catalog", "search"] => Some(Self::Found),
            ["ucp", "catalog", "lookup"] => Some(Self::LookedUp),
            ["ucp", "catalog", "product"] => Some(Self::Product),
            _ => None,
        }
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.trim_start_matches('/').split('/').collect()
}

/// Who judges.
pub struct Judge {
    program: PathBuf,
    schemas: PathBuf,
    /// A checkout of the specification.
    spec: Option<PathBuf>,
    /// What is judged lies here for that long.
    folder: PathBuf,
}

impl Judge {
    /// None in a program that is no test: what is measured is not judged.
    fn of_setup() -> Option<Self> {
        let folder = Path::new(option_env!("CARGO_TARGET_TMPDIR")?);
        let peer = folder.join("../peers/ucp-schema");
        let given = |name: &str, beside: &str| std::env::var_os(name).map_or_else(|| peer.join(beside), PathBuf::from);
        Some(Self {
            program: given("VESTIBULE_UCP_SCHEMA", "bin/ucp-schema"),
            schemas: given("VESTIBULE_UCP_SCHEMAS", "schemas"),
            spec: std::env::var_os("VESTIBULE_UCP_SPEC").map(PathBuf::from),
            folder: folder.join("judged"),
        })
    }

    /// It, where it was set up: tests that are about something else go on without.
    pub fn found() -> Option<Self> {
        Self::of_setup().filter(|judge| judge.program.is_file())
    }

    /// It; what is missing is a failure.
    pub fn here() -> Self {
        let judge = Self::of_setup().expect("this is a test");
        assert!(judge.program.is_file(), "{} is not here: cargo xtask setup --peer ucp", judge.program.display());
        judge
    }

    /// Judges messages, and says how many there were of each kind.
    ///
    /// # Errors
    /// What is wrong with which.
    pub fn all(&self, messages: impl IntoIterator<Item = (Kind, Vec<u8>)>) -> Result<BTreeMap<Kind, usize>, String> {
        let mut kinds: BTreeMap<Kind, Vec<Value>> = BTreeMap::new();
        for (kind, message) in messages {
            let read = serde_json::from_slice::<Value>(&message);
            let read = read.map_err(|error| format!("{kind:?}: {error}: {}", String::from_utf8_lossy(&message)))?;
            kinds.entry(kind).or_default().push(read);
        }
        let count = kinds.iter().map(|(kind, messages)| (*kind, messages.len())).collect();
        // It starts slowly: those that are looked at in the same way are, together.
        let mut runs: BTreeMap<_, BTreeMap<Kind, Vec<Value>>> = BTreeMap::new();
        for (kind, messages) in kinds {
            let place = kind.place();
            // The SDK has taken out already what is not there in a request or an operation.
            let run = if self.spec.is_some() { (place.side, place.operation) } else { ("--response", "read") };
            runs.entry(run).or_default().insert(kind, messages);
        }
        for ((side, operation), messages) in runs {
            self.run(side, operation, &messages)?;
        }
        Ok(count)
    }

    /// Whether a message is one of its kind.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn one(&self, kind: Kind, message: &[u8]) -> Result<(), String> {
        self.all([(kind, message.to_vec())]).map(|_| ())
    }

    fn run(&self, side: &str, operation: &str, messages: &BTreeMap<Kind, Vec<Value>>) -> Result<(), String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        std::fs::create_dir_all(&self.folder).unwrap();
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let (said, schema) =
            (self.folder.join(format!("{name}.json")), self.folder.join(format!("{name}.schema.json")));
        let lists = messages.iter().map(|(kind, messages)| (format!("{kind:?}"), json!(messages)));
        std::fs::write(&said, Value::Object(lists.collect()).to_string()).unwrap();
        let lists = messages.keys().map(|kind| {
            let list = json!({"type": "array", "items": self.schema(*kind)});
            (format!("{kind:?}"), list)
        });
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
            "properties": Value::Object(lists.collect()),
        });
        std::fs::write(&schema, whole.to_string()).unwrap();
        let mut asked = Command::new(&self.program);
        asked.arg("validate").arg(&said).args([side, "--op", operation, "--schema"]).arg(&schema);
        let answer = asked.output().unwrap();
        if !answer.status.success() {
            let (out, err) = (String::from_utf8_lossy(&answer.stdout), String::from_utf8_lossy(&answer.stderr));
            return Err(format!("{out}{err}These are the messages: {}", said.display()));
        }
        for file in [said, schema] {
            std::fs::remove_file(file).unwrap();
        }
        Ok(())
    }

    fn schema(&self, kind: Kind) -> Value {
        let place = kind.place();
        let file = match &self.spec {
            Some(spec) => format!("{}{}", spec.join("source").join(place.of_spec).display(), place.part),
            None => self.schemas.join(format!("{}.json", place.of_sdk)).display().to_string(),
        };
        let message = json!({"$ref": file});
        // The protocol has a schema for what stands in this member.
        if kind == Kind::Accepted {
            json!({"type": "object", "required": ["ucp"], "properties": {"ucp": message}})
        } else {
            message
        }
    }
}
