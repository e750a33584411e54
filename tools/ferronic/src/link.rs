// SPDX-License-Identifier: GPL-2.0

//! Talking to the kernel.

use crate::generated::{FAMILY, VERSION};
use crate::spec::{self, Attribute, Command, Kind, Object, Space};
use netlink_packet_core::{
    DecodeError, DefaultNla, Emitable, ErrorMessage, NetlinkHeader, NetlinkMessage, NetlinkPayload,
    NlasIterator, ParseableParametrized, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST,
};
use netlink_packet_generic::ctrl::nlas::{GenlCtrlAttrs, McastGrpAttrs};
use netlink_packet_generic::ctrl::{GenlCtrl, GenlCtrlCmd};
use netlink_packet_generic::{GenlFamily, GenlHeader, GenlMessage};
use netlink_sys::protocols::NETLINK_GENERIC;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;
use std::collections::VecDeque;
use std::fmt;
use std::io;

/// The header of netlink, and that of generic netlink behind it.
const HEADERS: usize = 16 + 4;
/// Some of what was dumped changed meanwhile.
const NLM_F_DUMP_INTR: u16 = 0x10;
/// How often an interrupted dump is tried again before it is taken as it is.
const TRIES: u32 = 10;
/// Attributes of an extended acknowledgement.
const NLA_TYPE_MASK: u16 = 0x3FFF;
const NLMSGERR_ATTR_MSG: u16 = 1;
const NLMSGERR_ATTR_OFFS: u16 = 2;
const NLMSGERR_ATTR_POLICY: u16 = 4;
const NLMSGERR_ATTR_MISS_TYPE: u16 = 5;
const NLMSGERR_ATTR_MISS_NEST: u16 = 6;
const NL_POLICY_TYPE_ATTR_MIN_VALUE_U: u16 = 4;
const NL_POLICY_TYPE_ATTR_MAX_VALUE_U: u16 = 5;

/// Why something could not be done.
#[derive(Debug)]
pub enum Error {
    /// The kernel refused, for that reason.
    Refused(String),
    /// Messages were lost.
    Lost,
    Io(io::Error),
    /// What came was not understood.
    Garbled(DecodeError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(why) => write!(f, "{why}"),
            Error::Lost => write!(f, "messages were lost"),
            Error::Io(error) => write!(f, "{}", reason(error)),
            Error::Garbled(error) => write!(f, "netlink: {error}"),
        }
    }
}

/// What the system says of an error, without its number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.into(),
        None => text,
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) if code == Errno::ENOBUFS as i32 => Error::Lost,
            _ => Error::Io(error),
        }
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Error::Garbled(error)
    }
}

/// A message of the family: attributes that the specification gives a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    command: u8,
    attributes: Vec<DefaultNla>,
    /// As received.
    payload: Vec<u8>,
}

impl GenlFamily for Message {
    fn family_name() -> &'static str {
        FAMILY
    }
    fn command(&self) -> u8 {
        self.command
    }
    fn version(&self) -> u8 {
        VERSION
    }
}

impl Emitable for Message {
    fn buffer_len(&self) -> usize {
        self.attributes.as_slice().buffer_len()
    }
    fn emit(&self, buffer: &mut [u8]) {
        self.attributes.as_slice().emit(buffer);
    }
}

impl ParseableParametrized<[u8], GenlHeader> for Message {
    fn parse_with_param(payload: &[u8], header: GenlHeader) -> Result<Self, DecodeError> {
        Ok(Message {
            command: header.cmd,
            attributes: vec![],
            payload: payload.to_vec(),
        })
    }
}

/// What a notification says.
pub struct Event {
    pub command: u8,
    payload: Vec<u8>,
}

impl Event {
    /// Its attributes.
    pub fn object(&self, space: &'static Space) -> Object {
        spec::object(space, &self.payload)
    }
}

/// A socket, and the family behind it.
pub struct Link {
    socket: Socket,
    family: u16,
    groups: Vec<(String, u32)>,
    sequence: u32,
    events: VecDeque<Event>,
}

impl Link {
    /// Finds the family.
    pub fn open() -> Result<Link, Error> {
        let mut socket = Socket::new(NETLINK_GENERIC)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_ext_ack(true)?;
        socket.set_cap_ack(true)?;
        let mut link = Link {
            socket,
            family: 0,
            groups: vec![],
            sequence: 0,
            events: VecDeque::new(),
        };
        link.resolve()?;
        Ok(link)
    }

    fn resolve(&mut self) -> Result<(), Error> {
        let mut message = NetlinkMessage::from(GenlMessage::from_payload(GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![GenlCtrlAttrs::FamilyName(FAMILY.into())],
        }));
        message.header.flags = NLM_F_REQUEST | NLM_F_ACK;
        self.sequence += 1;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        loop {
            let data = self.receive()?;
            let mut rest = data.as_slice();
            while !rest.is_empty() {
                let message = <NetlinkMessage<GenlMessage<GenlCtrl>>>::deserialize(rest)?;
                rest = advance(rest, message.header.length);
                match message.payload {
                    NetlinkPayload::Error(ErrorMessage { code: None, .. }) => return Ok(()),
                    NetlinkPayload::Error(_) => {
                        return Err(Error::Refused(format!(
                            "there is no netlink family '{FAMILY}': is the module loaded?"
                        )));
                    }
                    NetlinkPayload::InnerMessage(found) => self.known(found.payload.nlas),
                    _ => (),
                }
            }
        }
    }

    fn known(&mut self, attributes: Vec<GenlCtrlAttrs>) {
        for attribute in attributes {
            match attribute {
                GenlCtrlAttrs::FamilyId(id) => self.family = id,
                GenlCtrlAttrs::McastGroups(groups) => {
                    for group in groups {
                        let (mut name, mut number) = (String::new(), 0);
                        for attribute in group {
                            match attribute {
                                McastGrpAttrs::Name(n) => name = n,
                                McastGrpAttrs::Id(n) => number = n,
                            }
                        }
                        self.groups.push((name, number));
                    }
                }
                _ => (),
            }
        }
    }

    /// Joins a multicast group.
    pub fn subscribe(&mut self, group: &str) -> Result<(), Error> {
        let number = self.groups.iter().find(|(name, _)| name == group);
        let (_, number) =
            number.ok_or_else(|| Error::Refused(format!("the module has no group '{group}'")))?;
        self.socket
            .add_membership(*number)
            .map_err(|error| Error::Refused(format!("group '{group}': {}", reason(&error))))
    }

    /// Sends a request and collects the answers.
    pub fn request(
        &mut self,
        command: &Command,
        attributes: Vec<DefaultNla>,
    ) -> Result<Vec<Object>, Error> {
        let (answers, _) = self.exchange(command, attributes, 0)?;
        Ok(answers)
    }

    /// Dumps; once more if what is dumped changes meanwhile.
    pub fn dump(
        &mut self,
        command: &Command,
        attributes: &[DefaultNla],
    ) -> Result<Vec<Object>, Error> {
        for _ in 1..TRIES {
            let (answers, whole) = self.exchange(command, attributes.to_vec(), NLM_F_DUMP)?;
            if whole {
                return Ok(answers);
            }
        }
        Ok(self.exchange(command, attributes.to_vec(), NLM_F_DUMP)?.0)
    }

    fn receive(&mut self) -> Result<Vec<u8>, Error> {
        let (data, _) = self.socket.recv_from_full()?;
        Ok(data)
    }

    /// Whether it was not interrupted comes with the answers.
    fn exchange(
        &mut self,
        command: &Command,
        attributes: Vec<DefaultNla>,
        flags: u16,
    ) -> Result<(Vec<Object>, bool), Error> {
        let mut inner = GenlMessage::from_payload(Message {
            command: command.number,
            attributes,
            payload: vec![],
        });
        inner.set_resolved_family_id(self.family);
        let mut message = NetlinkMessage::from(inner);
        message.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        self.sequence += 1;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut sent = vec![0; message.buffer_len()];
        message.serialize(&mut sent);
        self.socket.send(&sent, 0)?;

        let (mut answers, mut whole, mut lost) = (vec![], true, false);
        loop {
            let data = match self.receive() {
                // Notifications, not the dump, which goes on.
                Err(Error::Lost) if flags & NLM_F_DUMP != 0 => {
                    lost = true;
                    continue;
                }
                received => received?,
            };
            let mut rest = data.as_slice();
            while !rest.is_empty() {
                let raw = rest;
                let message = <NetlinkMessage<GenlMessage<Message>>>::deserialize(rest)?;
                rest = advance(rest, message.header.length);
                let ours = message.header.sequence_number == self.sequence;
                if ours {
                    whole &= message.header.flags & NLM_F_DUMP_INTR == 0;
                }
                match message.payload {
                    NetlinkPayload::InnerMessage(inner) if ours => {
                        answers.push(spec::object(command.space, &inner.payload.payload));
                    }
                    NetlinkPayload::InnerMessage(inner) => self.keep(message.header, inner.payload),
                    NetlinkPayload::Error(error) if ours => {
                        let tlvs = error.header.get(16..).unwrap_or(&[]);
                        let Some(code) = error.code else {
                            if let Some(text) = message_of(tlvs) {
                                eprintln!("ferronic: {}: done; {text}", command.name);
                            }
                            return Ok((answers, whole));
                        };
                        return Err(refusal(command, &sent, code.get(), tlvs));
                    }
                    NetlinkPayload::Done(done) if ours => {
                        if done.code < 0 {
                            let tlvs = raw.get(20..message.header.length as usize);
                            return Err(refusal(command, &sent, done.code, tlvs.unwrap_or(&[])));
                        }
                        return match lost {
                            true => Err(Error::Lost),
                            false => Ok((answers, whole)),
                        };
                    }
                    _ => (),
                }
            }
        }
    }

    /// Keeps a notification. What else comes unasked is the rest of an answer that nobody waits for any more.
    fn keep(&mut self, header: NetlinkHeader, message: Message) {
        if header.sequence_number == 0 {
            self.events.push_back(Event {
                command: message.command,
                payload: message.payload,
            });
        }
    }

    /// Keeps what a datagram tells.
    fn sort(&mut self, data: &[u8]) -> Result<(), Error> {
        let mut rest = data;
        while !rest.is_empty() {
            let message = <NetlinkMessage<GenlMessage<Message>>>::deserialize(rest)?;
            rest = advance(rest, message.header.length);
            if let NetlinkPayload::InnerMessage(inner) = message.payload {
                self.keep(message.header, inner.payload);
            }
        }
        Ok(())
    }

    /// Waits for the next notification.
    pub fn event(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let data = self.receive()?;
            self.sort(&data)?;
        }
    }

    /// Takes in all that has come. Where notifications were lost the kernel sends no others before nothing is left,
    /// and does not say again that it has lost them.
    pub fn drain(&mut self) -> Result<(), Error> {
        self.socket.set_non_blocking(true)?;
        let drained = loop {
            let sorted = self.receive().and_then(|data| self.sort(&data));
            match sorted {
                Ok(()) | Err(Error::Lost) => (),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.socket.set_non_blocking(false)?;
        drained
    }
}

/// What is behind a message of that length.
fn advance(data: &[u8], length: u32) -> &[u8] {
    let length = (length as usize).max(16).next_multiple_of(4);
    data.get(length..).unwrap_or(&[])
}

fn number(payload: &[u8]) -> u64 {
    match payload.len() {
        4 => u32::from_ne_bytes(payload.try_into().unwrap_or_default()).into(),
        8 => u64::from_ne_bytes(payload.try_into().unwrap_or_default()),
        _ => 0,
    }
}

/// The sentence in an extended acknowledgement.
fn message_of(tlvs: &[u8]) -> Option<String> {
    let mut all = NlasIterator::new(tlvs).flatten();
    let found = all.find(|nla| nla.kind() == NLMSGERR_ATTR_MSG)?;
    let bytes = found.value().split(|&b| b == 0).next()?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// Says why the kernel refused, in its own words and with the attribute that it points to.
fn refusal(command: &Command, sent: &[u8], code: i32, tlvs: &[u8]) -> Error {
    let (mut attribute, mut range) = (None, String::new());
    let (mut missing, mut nest) = (None, None);
    for nla in NlasIterator::new(tlvs).flatten() {
        match nla.kind() {
            NLMSGERR_ATTR_OFFS => {
                attribute = at(command.space, sent, HEADERS, number(nla.value()) as usize);
            }
            NLMSGERR_ATTR_MISS_TYPE => missing = Some(number(nla.value()) as u16),
            NLMSGERR_ATTR_MISS_NEST => {
                nest = at(command.space, sent, HEADERS, number(nla.value()) as usize);
            }
            NLMSGERR_ATTR_POLICY => {
                let bounds = NlasIterator::new(nla.value()).flatten();
                let bounds: Vec<_> = bounds
                    .filter(|b| {
                        [
                            NL_POLICY_TYPE_ATTR_MIN_VALUE_U,
                            NL_POLICY_TYPE_ATTR_MAX_VALUE_U,
                        ]
                        .contains(&b.kind())
                    })
                    .map(|b| number(b.value()).to_string())
                    .collect();
                if bounds.len() == 2 {
                    range = format!(" ({})", bounds.join(" to "));
                }
            }
            _ => (),
        }
    }
    let text = message_of(tlvs).unwrap_or_else(|| reason(&io::Error::from_raw_os_error(-code)));
    if let Some(missing) = missing {
        let path = nest.unwrap_or_default();
        let inner = path.last().map_or(command.space, |a| match a.kind {
            Kind::Nest(space) => space,
            _ => command.space,
        });
        attribute = Some([path, inner.numbered(missing).into_iter().collect()].concat());
    }
    let path: Vec<_> = attribute.iter().flatten().map(|a| a.name).collect();
    let place = match path.is_empty() {
        true => String::new(),
        false => format!("{}: ", path.join(".")),
    };
    let error = Errno::from_raw(-code);
    Error::Refused(format!(
        "{}: {place}{text}{range} [{error:?}]",
        command.name
    ))
}

/// The attribute that begins at that place of a request, behind those that hold it. `begin` is where the attributes of
/// `space` begin.
fn at(
    space: &'static Space,
    sent: &[u8],
    begin: usize,
    offset: usize,
) -> Option<Vec<&'static Attribute>> {
    let mut place = begin;
    for nla in NlasIterator::new(sent.get(begin..)?).flatten() {
        let next = place + (nla.value().len() + 4).next_multiple_of(4);
        if (place..next).contains(&offset) {
            let found = space.numbered(nla.kind() & NLA_TYPE_MASK)?;
            let mut path = vec![found];
            if let (Kind::Nest(inner), true) = (found.kind, place < offset) {
                path.extend(at(inner, sent.get(..next)?, place + 4, offset)?);
            }
            return Some(path);
        }
        place = next;
    }
    None
}
