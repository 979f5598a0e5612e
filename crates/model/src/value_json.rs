//! Values as JSON has them: numbers are numbers, texts are texts. Other formats have the variants' numbers.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type},
    },
};

use crate::{BlobRef, Value, number::settled};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return Self::serialize(self, serializer);
        }
        match self {
            Self::Bool(yes) => serializer.serialize_bool(*yes),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Color(color) => named(serializer, "color", color),
            Self::Blob(blob) => named(serializer, "blob", blob),
        }
    }
}

fn named<S: Serializer, T: Serialize>(serializer: S, name: &str, value: &T) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Reader)
        } else {
            Self::deserialize(deserializer)
        }
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"true or false, a number, a text, {"color": [red, green, blue]} or {"blob": {...}}"#)
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<Value, E> {
        Ok(Value::Bool(yes))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        // Numbers of 65 bits and more come as floats already.
        Ok(i64::try_from(number).map_or_else(|_| Value::Float(settled(number as f64)), Value::Int))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(settled(number)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some(name) = map.next_key::<String>()? else { return Err(A::Error::custom("nothing is no value")) };
        let value = match name.as_str() {
            // With capitals: as logs of the first programs have it.
            "color" | "Color" => Value::Color(map.next_value()?),
            "blob" | "Blob" => Value::Blob(map.next_value()?),
            "Bool" => Value::Bool(map.next_value()?),
            "Int" => Value::Int(map.next_value()?),
            "Float" => Value::Float(settled(map.next_value()?)),
            "Text" => Value::Text(map.next_value()?),
            _ => return Err(A::Error::unknown_field(&name, &["color", "blob"])),
        };
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom("a value is one thing"));
        }
        Ok(value)
    }
}

/// [`Value`] in schemas: what is called `Value` there is any JSON.
pub type PropertyValue = Value;

impl PartialSchema for Value {
    fn schema() -> RefOr<Schema> {
        let plain = |kind: Type| ObjectBuilder::new().schema_type(SchemaType::Type(kind));
        let named = |name: &str, value: RefOr<Schema>| {
            let object = plain(Type::Object).property(name, value).required(name);
            object.additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(false)))
        };
        let part = plain(Type::Integer).minimum(Some(0)).maximum(Some(255));
        let color = ArrayBuilder::new().items(part).min_items(Some(3)).max_items(Some(3));
        let any = AnyOfBuilder::new()
            .item(plain(Type::Boolean))
            .item(plain(Type::Number))
            .item(plain(Type::String))
            .item(named("color", color.into()))
            .item(named("blob", utoipa::openapi::Ref::from_schema_name(BlobRef::name()).into()));
        any.description(Some(
            "A value of a property, an action's input or a detail of an event. A text has at most 4096 bytes.",
        ))
        .into()
    }
}

impl ToSchema for Value {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((BlobRef::name().into_owned(), BlobRef::schema()));
        BlobRef::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(value: &Value, json: &str) {
        assert_eq!(serde_json::to_string(value).unwrap(), json);
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), *value);
        let bytes = postcard::to_stdvec(value).unwrap();
        assert_eq!(postcard::from_bytes::<Value>(&bytes).unwrap(), *value);
    }

    #[test]
    fn json_is_as_people_write_it() {
        both(&Value::Bool(true), "true");
        both(&Value::Int(-3), "-3");
        both(&Value::Float(2.0), "2.0");
        both(&Value::Text("open".to_owned()), "\"open\"");
        both(&Value::Color([1, 2, 255]), r#"{"color":[1,2,255]}"#);
        let blob = BlobRef::of(b"x", "image/png");
        both(&Value::Blob(blob.clone()), &format!(r#"{{"blob":{}}}"#, serde_json::to_string(&blob).unwrap()));
    }

    #[test]
    fn old_logs_are_read() {
        for (old, value) in [
            (r#"{"Bool":true}"#, Value::Bool(true)),
            (r#"{"Int":3}"#, Value::Int(3)),
            (r#"{"Float":2.5}"#, Value::Float(2.5)),
            (r#"{"Text":"x"}"#, Value::Text("x".to_owned())),
            (r#"{"Color":[1,2,3]}"#, Value::Color([1, 2, 3])),
        ] {
            assert_eq!(serde_json::from_str::<Value>(old).unwrap(), value);
        }
    }

    #[test]
    fn what_is_too_long_for_a_whole_number_is_a_float() {
        for text in ["9223372036854775808", "18446744073709551615", "18446744073709551616"] {
            assert!(
                matches!(serde_json::from_str::<Value>(text).unwrap(), Value::Float(number) if number > 9e18),
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["null", "[]", "{}", r#"{"color":[1,2]}"#, r#"{"color":[1,2,3],"blob":1}"#] {
            assert!(serde_json::from_str::<Value>(bad).is_err(), "{bad}");
        }
    }
}
