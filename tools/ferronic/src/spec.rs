// SPDX-License-Identifier: GPL-2.0

//! How the specification is put into tables, and how messages are read and written by them.

use netlink_packet_core::{DefaultNla, Emitable, NlasIterator, NLA_F_NESTED};
use serde_json::{Map, Value as Json};

/// A message as a program sees it: attributes by name.
pub type Object = Map<String, Json>;

/// A number in a message; 0 if it is not there.
pub fn number(object: &Object, name: &str) -> u64 {
    object.get(name).and_then(Json::as_u64).unwrap_or(0)
}

/// What an attribute holds.
#[derive(Clone, Copy)]
pub enum Kind {
    U32,
    /// 32 or 64 bits.
    Uint,
    S32,
    Text,
    /// Shown in hexadecimal digits.
    Bytes,
    /// Nothing: that it is there says it.
    Flag,
    Enum(&'static [Value]),
    Nest(&'static Space),
}

/// A value of an enumeration.
pub struct Value {
    pub name: &'static str,
    pub number: u32,
}

/// An attribute.
pub struct Attribute {
    pub name: &'static str,
    pub number: u16,
    pub kind: Kind,
    /// Whether it can be there more than once.
    pub many: bool,
    pub help: &'static str,
}

/// Attributes that belong together.
pub struct Space {
    pub attributes: &'static [Attribute],
}

impl Space {
    /// The attribute of that name.
    pub fn named(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes.iter().find(|a| a.name == name)
    }

    /// The attribute of that number.
    pub fn numbered(&self, number: u16) -> Option<&'static Attribute> {
        self.attributes.iter().find(|a| a.number == number)
    }
}

/// A command.
pub struct Command {
    pub name: &'static str,
    pub number: u8,
    pub help: &'static str,
    pub space: &'static Space,
    /// Attributes that a request may have.
    pub request: &'static [&'static str],
    /// Those that a request for a dump may have, if there is a dump.
    pub dump: Option<&'static [&'static str]>,
}

fn integer(payload: &[u8]) -> u64 {
    match (<[u8; 8]>::try_from(payload), <[u8; 4]>::try_from(payload)) {
        (Ok(wide), _) => u64::from_ne_bytes(wide),
        (_, Ok(narrow)) => u32::from_ne_bytes(narrow).into(),
        _ => 0,
    }
}

fn value(kind: Kind, payload: &[u8]) -> Json {
    match kind {
        Kind::U32 | Kind::Uint => integer(payload).into(),
        Kind::S32 => (integer(payload) as i32).into(),
        Kind::Text => {
            let end = payload.iter().position(|&b| b == 0);
            String::from_utf8_lossy(&payload[..end.unwrap_or(payload.len())]).into()
        }
        Kind::Bytes => payload
            .iter()
            .flat_map(|b| [b >> 4, b & 15])
            .filter_map(|n| char::from_digit(n.into(), 16))
            .collect::<String>()
            .into(),
        Kind::Flag => true.into(),
        Kind::Enum(values) => {
            let number = integer(payload) as u32;
            match values.iter().find(|v| v.number == number) {
                Some(v) => v.name.into(),
                None => number.into(),
            }
        }
        Kind::Nest(space) => object(space, payload).into(),
    }
}

/// Reads attributes. What a newer module sends and this specification does not know is left out.
pub fn object(space: &'static Space, payload: &[u8]) -> Object {
    let mut found = Object::new();
    for nla in NlasIterator::new(payload).flatten() {
        let Some(attribute) = space.numbered(nla.kind()) else {
            continue;
        };
        let value = value(attribute.kind, nla.value());
        if attribute.many {
            let list = found.entry(attribute.name).or_insert(Json::Array(vec![]));
            if let Json::Array(list) = list {
                list.push(value);
            }
        } else {
            found.insert(attribute.name.into(), value);
        }
    }
    found
}

/// An attribute that holds attributes.
pub fn nest(kind: u16, attributes: &[DefaultNla]) -> DefaultNla {
    let mut payload = vec![0; attributes.buffer_len()];
    attributes.emit(&mut payload);
    DefaultNla::new(kind, payload)
}

/// Makes attributes of what JSON says of one.
pub fn from_json(found: &'static Attribute, value: &Json) -> Result<Vec<DefaultNla>, String> {
    match (value, found.kind) {
        (Json::Array(list), _) if found.many => {
            let all: Result<Vec<_>, _> = list.iter().map(|v| from_json(found, v)).collect();
            Ok(all?.into_iter().flatten().collect())
        }
        (Json::Object(object), Kind::Nest(space)) => {
            let mut inner = vec![];
            for (name, value) in object {
                let within = space.named(name);
                let within =
                    within.ok_or_else(|| format!("{}: there is no '{name}'", found.name))?;
                inner.extend(from_json(within, value)?);
            }
            Ok(vec![nest(found.number | NLA_F_NESTED, &inner)])
        }
        (Json::Bool(false), Kind::Flag) => Ok(vec![]),
        (Json::Bool(true), Kind::Flag) => Ok(vec![attribute(found, "")?]),
        (Json::String(text), _) => Ok(vec![attribute(found, text)?]),
        (Json::Number(number), _) => Ok(vec![attribute(found, &number.to_string())?]),
        _ => Err(format!("{}: {value} is not what it takes", found.name)),
    }
}

/// Makes an attribute of what a user wrote.
pub fn attribute(attribute: &'static Attribute, text: &str) -> Result<DefaultNla, String> {
    let wrong = |what: &str| Err(format!("{}: '{text}' is not {what}", attribute.name));
    let payload = match attribute.kind {
        Kind::U32 => match text.parse::<u32>() {
            Ok(n) => n.to_ne_bytes().to_vec(),
            Err(_) => return wrong("a number"),
        },
        Kind::Uint => match text.parse::<u64>() {
            Ok(n) => n.to_ne_bytes().to_vec(),
            Err(_) => return wrong("a number"),
        },
        Kind::S32 => match text.parse::<i32>() {
            Ok(n) => n.to_ne_bytes().to_vec(),
            Err(_) => return wrong("a number"),
        },
        Kind::Text => [text.as_bytes(), &[0]].concat(),
        Kind::Flag => vec![],
        Kind::Enum(values) => match values.iter().find(|v| v.name == text) {
            Some(v) => v.number.to_ne_bytes().to_vec(),
            None => {
                let names: Vec<_> = values.iter().map(|v| v.name).collect();
                return wrong(&format!("one of {}", names.join(", ")));
            }
        },
        Kind::Nest(_) | Kind::Bytes => return wrong("something that can be written here"),
    };
    Ok(DefaultNla::new(attribute.number, payload))
}
