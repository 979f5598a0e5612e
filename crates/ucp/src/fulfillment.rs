use serde::{Deserialize, Serialize};

use crate::{
    Check, Flaw, Id, More, Totals,
    json::{all_different, at_most, given},
    limits::{MAX_FULFILLMENT, MAX_LINES},
};

/// A postal address. All of it personal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// What the street's number does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_address: Option<String>,
    /// Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_locality: Option<String>,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_region: Option<String>,
    /// Country, by its two letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_country: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Who lives there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Who lives there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// How to call them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// Where something goes: an address, or a shop (then `name`, and its address in `more`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// What it is selected by. Requests may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// What the shop is called, where something is picked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is.
    #[serde(flatten)]
    pub address: Address,
}

/// How something is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodType {
    /// Brought.
    Shipping,
    /// Picked up.
    Pickup,
}

/// One way of handing over a group, with its price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptionOffered {
    /// What it is selected by.
    pub id: Id,
    /// What it is called.
    pub title: String,
    /// What is to be said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who brings it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Not before; a moment of RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest_fulfillment_time: Option<String>,
    /// Not after; a moment of RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_fulfillment_time: Option<String>,
    /// What it costs.
    pub totals: Totals,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// What is handed over together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: Id,
    /// Which lines.
    pub line_item_ids: Vec<Id>,
    /// What can be chosen from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<OptionOffered>>,
    /// What was chosen; `Some(None)`: nothing, said so.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub selected_option_id: Option<Option<Id>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Group {
    /// What was chosen, where it is offered.
    #[must_use]
    pub fn selected(&self) -> Option<&OptionOffered> {
        let chosen = self.selected_option_id.as_ref()?.as_ref()?;
        self.options.as_ref()?.iter().find(|option| option.id == *chosen)
    }
}

/// A way of handing over, with what can be chosen for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Method {
    /// Its id.
    pub id: Id,
    /// Brought or picked up.
    #[serde(rename = "type")]
    pub kind: MethodType,
    /// Which lines.
    pub line_item_ids: Vec<Id>,
    /// Where it can go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destinations: Option<Vec<Destination>>,
    /// Where it goes; `Some(None)`: not chosen, said so.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub selected_destination_id: Option<Option<Id>>,
    /// What is handed over together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Group>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// How else, or when, lines could be handed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AvailableMethod {
    /// Brought or picked up.
    #[serde(rename = "type")]
    pub kind: MethodType,
    /// Which lines.
    pub line_item_ids: Vec<Id>,
    /// `now`, or a moment of RFC 3339; `Some(None)`: not known.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub fulfillable_on: Option<Option<String>>,
    /// What is to be said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// How a checkout's goods are handed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fulfillment {
    /// The ways that are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<Method>>,
    /// The ways that there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_methods: Option<Vec<AvailableMethod>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Check for Fulfillment {
    fn check(&self) -> Result<(), Flaw> {
        let methods = self.methods.as_deref().unwrap_or_default();
        at_most("methods", methods, MAX_FULFILLMENT)?;
        at_most("methods", self.available_methods.as_deref().unwrap_or_default(), MAX_FULFILLMENT)?;
        all_different(methods.iter().map(|method| method.id.as_str()), "each method has its own id")?;
        for method in methods {
            at_most("lines of a method", &method.line_item_ids, MAX_LINES)?;
            at_most("destinations", method.destinations.as_deref().unwrap_or_default(), MAX_FULFILLMENT)?;
            let groups = method.groups.as_deref().unwrap_or_default();
            at_most("groups", groups, MAX_FULFILLMENT)?;
            all_different(groups.iter().map(|group| group.id.as_str()), "each group has its own id")?;
            groups.iter().try_for_each(check_group)?;
        }
        Ok(())
    }
}

fn check_group(group: &Group) -> Result<(), Flaw> {
    let options = group.options.as_deref().unwrap_or_default();
    at_most("options", options, MAX_FULFILLMENT)?;
    at_most("lines of a group", &group.line_item_ids, MAX_LINES)?;
    all_different(options.iter().map(|option| option.id.as_str()), "each option has its own id")?;
    options.iter().try_for_each(|option| option.totals.check_part()).map_err(Flaw::Totals)
}

/// What is chosen for a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRequest {
    /// Which one; new ones have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Which option; `Some(None)`: none, said so.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub selected_option_id: Option<Option<Id>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// What is chosen for a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodRequest {
    /// Which one; new ones have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Brought or picked up.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MethodType>,
    /// Which lines; nothing said: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_item_ids: Option<Vec<Id>>,
    /// Where it can go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destinations: Option<Vec<Destination>>,
    /// Where it goes; `Some(None)`: not chosen, said so.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub selected_destination_id: Option<Option<Id>>,
    /// What is chosen for each group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<GroupRequest>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

/// What is chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FulfillmentRequest {
    /// For each way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<MethodRequest>>,
    /// What is not known here.
    #[serde(flatten)]
    pub more: More,
}

impl Check for FulfillmentRequest {
    fn check(&self) -> Result<(), Flaw> {
        let methods = self.methods.as_deref().unwrap_or_default();
        at_most("methods", methods, MAX_FULFILLMENT)?;
        for method in methods {
            at_most("lines of a method", method.line_item_ids.as_deref().unwrap_or_default(), MAX_LINES)?;
            at_most("destinations", method.destinations.as_deref().unwrap_or_default(), MAX_FULFILLMENT)?;
            at_most("groups", method.groups.as_deref().unwrap_or_default(), MAX_FULFILLMENT)?;
        }
        Ok(())
    }
}
