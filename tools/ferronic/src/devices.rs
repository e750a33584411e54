// SPDX-License-Identifier: GPL-2.0

//! Names and numbers of network devices.

use crate::link::Error;
use netlink_packet_core::NlasIterator;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

const RTM_GETLINK: u16 = 18;
const RTM_NEWLINK: u16 = 16;
const NLM_F_REQUEST: u16 = 1;
const IFLA_IFNAME: u16 = 3;
/// The header of netlink, and `struct ifinfomsg`.
const HEADERS: usize = 16 + 16;

/// Asks for a device by number, or by name if that is 0; returns both.
fn ask(number: u32, name: &str) -> Result<Option<(u32, String)>, Error> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut sent = vec![0u8; HEADERS];
    sent[4..6].copy_from_slice(&RTM_GETLINK.to_ne_bytes());
    sent[6..8].copy_from_slice(&NLM_F_REQUEST.to_ne_bytes());
    sent[20..24].copy_from_slice(&number.to_ne_bytes());
    if number == 0 {
        let length = name.len() as u16 + 5;
        sent.extend(length.to_ne_bytes());
        sent.extend(IFLA_IFNAME.to_ne_bytes());
        sent.extend(name.as_bytes());
        sent.resize(sent.len() + 1, 0);
        sent.resize(sent.len().next_multiple_of(4), 0);
    }
    let length = sent.len() as u32;
    sent[..4].copy_from_slice(&length.to_ne_bytes());
    socket.send(&sent, 0)?;
    let (data, _) = socket.recv_from_full()?;
    if data.get(4..6) != Some(&RTM_NEWLINK.to_ne_bytes()) {
        return Ok(None);
    }
    let Some(index) = data.get(20..24).and_then(|b| b.try_into().ok()) else {
        return Ok(None);
    };
    let mut attributes = NlasIterator::new(data.get(HEADERS..).unwrap_or(&[])).flatten();
    let found = attributes.find(|nla| nla.kind() == IFLA_IFNAME);
    let name = found.map_or(String::new(), |nla| {
        String::from_utf8_lossy(nla.value())
            .trim_end_matches('\0')
            .into()
    });
    Ok(Some((u32::from_ne_bytes(index), name)))
}

/// The number of the device that a user names.
pub fn number(name: &str) -> Result<u32, Error> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let found = ask(0, name)?;
    found
        .map(|(number, _)| number)
        .ok_or_else(|| Error::Refused(format!("there is no device '{name}' in this namespace")))
}

/// The name of a device; its number if it has gone.
pub fn name(number: u32) -> String {
    match ask(number, "") {
        Ok(Some((_, name))) if !name.is_empty() => name,
        _ => number.to_string(),
    }
}
