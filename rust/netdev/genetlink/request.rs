// SPDX-License-Identifier: GPL-2.0

//! A request that is being answered.

use super::{Family, Reply};
use crate::netlink::{Attributes, ExtAck};
use crate::rtnl::Net;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::slice;
use kernel::prelude::*;
use netdev_sys as bindings;

/// Bytes before the first attribute: the headers of netlink and of generic netlink.
const HEADERS: usize = size_of::<bindings::nlmsghdr>() + size_of::<bindings::genlmsghdr>();

/// Bytes of an attribute's header, and what attributes are aligned to.
const ATTRIBUTE_HEADER: usize = size_of::<bindings::nlattr>();

/// What is known of a request beside its attributes (`struct genl_info`).
///
/// # Invariants
///
/// Points to what the core passes to a handler, valid for `'a`.
pub struct Context<'a, F: Family> {
    info: NonNull<bindings::genl_info>,
    attributes: Attributes<'a>,
    _family: PhantomData<fn() -> F>,
}

impl<'a, F: Family> Context<'a, F> {
    /// # Safety
    ///
    /// `info` is what the core passes to a handler of a command of `F` whose policy has `attributes` entries, valid
    /// for `'a`.
    pub(super) unsafe fn from_raw(info: NonNull<bindings::genl_info>, attributes: usize) -> Self {
        // SAFETY: The array has an entry for each of the policy's, or is NULL if that has none.
        let attributes =
            unsafe { Attributes::from_raw((*info.as_ptr()).attrs, attributes.saturating_sub(1)) };
        // INVARIANT: By the caller's promise.
        Context {
            info,
            attributes,
            _family: PhantomData,
        }
    }

    pub(super) fn as_raw(&self) -> NonNull<bindings::genl_info> {
        self.info
    }

    pub(super) fn attributes(&self) -> &Attributes<'a> {
        &self.attributes
    }

    /// The namespace of who asks.
    pub fn net(&self) -> &Net {
        // SAFETY: The sender's socket keeps its namespace alive.
        unsafe { Net::from_raw(bindings::genl_info_net(self.info.as_ptr())) }
    }

    /// Where a refusal says why.
    pub fn extack(&self) -> ExtAck<'_> {
        // SAFETY: Valid, or NULL, by the type invariant.
        unsafe { ExtAck::from_raw((*self.info.as_ptr()).extack) }
    }

    /// What a command needs and was not sent: says which, in a sentence.
    pub fn missing(&self, kind: u16, msg: &'static CStr) -> Error {
        self.extack().missing(msg, kind);
        EINVAL
    }

    /// Refuses what attribute `kind` says: points to it, with a sentence.
    pub fn refuse(&self, kind: u16, msg: &'static CStr, error: Error) -> Error {
        match self.attributes.get(usize::from(kind)) {
            Some(attribute) => self.extack().attribute(msg, &attribute),
            None => self.extack().message(msg),
        }
        error
    }

    /// Begins the answer.
    pub fn reply(&self) -> Result<Reply<'_>> {
        // SAFETY: Valid by the type invariant.
        unsafe { Reply::new(self.info) }
    }

    /// Looks for attributes that came twice, which the core allows (the last counts): an error in the sender, or an
    /// attempt to have two readers of one message understand different things.
    pub(super) fn check_unique(&self, multi: &[u16]) -> Result {
        // SAFETY: The message is valid and `nlmsg_len` bytes long, as the core has seen.
        let mut rest = unsafe {
            let nlh = (*self.info.as_ptr()).nlhdr;
            let len = ((*nlh).nlmsg_len as usize).saturating_sub(HEADERS);
            slice::from_raw_parts(nlh.cast::<u8>().add(HEADERS), len)
        };
        while let Some(&[a, b, c, d]) = rest.first_chunk::<ATTRIBUTE_HEADER>() {
            let len = usize::from(u16::from_ne_bytes([a, b]));
            let kind = u16::from_ne_bytes([c, d]) & bindings::NLA_TYPE_MASK as u16;
            if let Some(last) = self.attributes.get(usize::from(kind)) {
                if !multi.contains(&kind) && last.as_raw().cast_const().cast() != rest.as_ptr() {
                    self.extack()
                        .attribute(c"This attribute came more than once", &last);
                    return Err(EINVAL);
                }
            }
            let next = len.max(ATTRIBUTE_HEADER).next_multiple_of(ATTRIBUTE_HEADER);
            rest = rest.get(next..).unwrap_or(&[]);
        }
        Ok(())
    }
}
