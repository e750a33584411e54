// SPDX-License-Identifier: GPL-2.0

//! Watching packets that rules act on: lines for eyes, JSON for programs, pcapng for Wireshark's tools.

use super::{print, Watched};
use crate::devices;
use crate::generated::GROUP_PACKETS;
use crate::link::{reason, Error, Link};
use crate::spec::{number, Object};
use crate::table::text;
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// Link types of pcapng.
const ETHERNET: u16 = 1;
const RAW: u16 = 101;

/// A file of packets (draft-ietf-opsawg-pcapng), with an interface for each link type that there is, once there is one:
/// programs that take one link type a file read what is of one.
struct Capture {
    file: BufWriter<File>,
    link_types: Vec<u16>,
}

impl Capture {
    fn create(path: &str) -> io::Result<Capture> {
        let mut capture = Capture {
            file: BufWriter::new(File::create(path)?),
            link_types: vec![],
        };
        let mut section = vec![];
        section.extend(0x1a2b_3c4du32.to_ne_bytes());
        section.extend(1u16.to_ne_bytes());
        section.extend(0u16.to_ne_bytes());
        section.extend(u64::MAX.to_ne_bytes());
        capture.block(0x0a0d_0d0a, &section)?;
        Ok(capture)
    }

    /// The number of the interface of a link type.
    fn interface(&mut self, link_type: u16) -> io::Result<u32> {
        let known = self.link_types.iter().position(|t| *t == link_type);
        if let Some(number) = known {
            return Ok(number as u32);
        }
        let mut interface = vec![];
        interface.extend(link_type.to_ne_bytes());
        interface.extend(0u16.to_ne_bytes());
        interface.extend(0u32.to_ne_bytes());
        // if_tsresol: nanoseconds.
        option(&mut interface, 9, &[9]);
        option(&mut interface, 0, &[]);
        self.block(1, &interface)?;
        self.link_types.push(link_type);
        Ok(self.link_types.len() as u32 - 1)
    }

    fn block(&mut self, kind: u32, body: &[u8]) -> io::Result<()> {
        let length = body.len() as u32 + 12;
        self.file.write_all(&kind.to_ne_bytes())?;
        self.file.write_all(&length.to_ne_bytes())?;
        self.file.write_all(body)?;
        self.file.write_all(&length.to_ne_bytes())?;
        self.file.flush()
    }

    fn packet(&mut self, event: &Object, comment: &str) -> io::Result<()> {
        let data = bytes(event);
        let time = number(event, "time");
        // The ethertype is beside packets that have no header with it.
        let link_type = match event.contains_key("ethertype") {
            true => RAW,
            false => ETHERNET,
        };
        let mut body = vec![];
        body.extend(self.interface(link_type)?.to_ne_bytes());
        body.extend(((time >> 32) as u32).to_ne_bytes());
        body.extend((time as u32).to_ne_bytes());
        body.extend((data.len() as u32).to_ne_bytes());
        body.extend((number(event, "length") as u32).to_ne_bytes());
        body.extend(&data);
        body.resize(body.len().next_multiple_of(4), 0);
        option(&mut body, 1, comment.as_bytes());
        option(&mut body, 0, &[]);
        self.block(6, &body)
    }
}

/// Appends an option of a block.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_ne_bytes());
    body.extend((value.len() as u16).to_ne_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// The first bytes of a packet.
fn bytes(event: &Object) -> Vec<u8> {
    let digits = event.get("data").and_then(Value::as_str).unwrap_or("");
    let pairs = (0..digits.len() / 2).filter_map(|n| digits.get(2 * n..2 * n + 2));
    pairs
        .filter_map(|p| u8::from_str_radix(p, 16).ok())
        .collect()
}

/// What an event says, without the packet's bytes.
fn describe(event: &Object) -> String {
    let word = |name: &str| event.get(name).map_or("?".into(), text);
    let mut words = vec![format!(
        "{} rule {} {} at {}",
        word("chain"),
        word("handle"),
        word("action"),
        word("hook")
    )];
    if event.contains_key("drop-reason") {
        words.push(format!("reason {}", word("drop-reason")));
    }
    if event.contains_key("number") {
        words.push(format!("packet {}", word("number")));
    }
    for (name, short) in [("in-device", "in"), ("out-device", "out")] {
        if let Some(number) = event.get(name).and_then(Value::as_u64) {
            words.push(format!("{short} {}", devices::name(number as u32)));
        }
    }
    for name in ["mark", "length", "left-out"] {
        if event.contains_key(name) {
            words.push(format!("{name} {}", word(name)));
        }
    }
    words.join(" ")
}

/// Packets, and the file to write them to as well.
pub struct Packets {
    json: bool,
    capture: Option<Capture>,
}

impl Packets {
    pub fn new(json: bool, path: Option<&String>) -> Result<Packets, Error> {
        let create = |path: &String| {
            Capture::create(path).map_err(|e| Error::Refused(format!("{path}: {}", reason(&e))))
        };
        Ok(Packets {
            json,
            capture: path.map(create).transpose()?,
        })
    }
}

impl Watched for Packets {
    const GROUP: &'static str = GROUP_PACKETS;
    const LOST: &'static str = "events were lost";

    /// What has passed is not told.
    fn begin(&mut self, _: &mut Link) -> Result<u64, Error> {
        Ok(0)
    }

    fn tell(&mut self, event: &str, packet: Object) -> Result<(), Error> {
        let words = describe(&packet);
        if let Some(capture) = &mut self.capture {
            capture.packet(&packet, &words)?;
        }
        let data = || packet.get("data").map_or(String::new(), text);
        Ok(print(self.json, event, &packet, || {
            format!("{words}  {}", data())
        })?)
    }
}
