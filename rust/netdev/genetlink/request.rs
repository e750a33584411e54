// SPDX-License-Identifier: GPL-2.0

//! A request that is being answered.

use super::{Family, Reply, Sender};
use crate::netlink::{Attribute, Attributes, ExtAck, Item, Nests, Walk, TWICE};
use crate::rtnl::Net;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::slice;
use kernel::prelude::*;
use netdev_sys as bindings;

/// Bytes before the first attribute: the headers of netlink and of generic netlink.
const HEADERS: usize = size_of::<bindings::nlmsghdr>() + size_of::<bindings::genlmsghdr>();

/// What is known of a request beside its attributes (`struct genl_info`).
///
/// # Invariants
///
/// Both point to what the core passes to a handler, valid for `'a`.
pub struct Context<'a, F: Family> {
    /// The message.
    skb: NonNull<bindings::sk_buff>,
    info: NonNull<bindings::genl_info>,
    attributes: Attributes<'a>,
    _family: PhantomData<fn() -> F>,
}

impl<'a, F: Family> Context<'a, F> {
    /// # Safety
    ///
    /// `skb` and `info` are what the core passes to a handler of a command of `F` whose policy has `attributes`
    /// entries, valid for `'a`.
    pub(super) unsafe fn from_raw(
        skb: NonNull<bindings::sk_buff>,
        info: NonNull<bindings::genl_info>,
        attributes: usize,
    ) -> Self {
        // SAFETY: The array has an entry for each of the policy's, or is NULL if that has none.
        let attributes =
            unsafe { Attributes::from_raw((*info.as_ptr()).attrs, attributes.saturating_sub(1)) };
        // INVARIANT: By the caller's promise.
        Context {
            skb,
            info,
            attributes,
            _family: PhantomData,
        }
    }

    pub(super) fn as_raw(&self) -> NonNull<bindings::genl_info> {
        self.info
    }

    /// The attributes by number; of those that came more than once, the last.
    pub fn attributes(&self) -> &Attributes<'a> {
        &self.attributes
    }

    /// The attributes of that number that hold attributes, all of them.
    pub fn nests<T: Item<'a>>(&self, kind: u16) -> Nests<'a, T> {
        Nests::new(self.walk(), kind, self.extack())
    }

    /// The attributes in their order.
    fn walk(&self) -> Walk<'a> {
        // SAFETY: The message is valid for `'a` and `nlmsg_len` bytes long, and its attributes are what the policy
        // says, as the core has seen.
        unsafe {
            let nlh = (*self.info.as_ptr()).nlhdr;
            let len = ((*nlh).nlmsg_len as usize).saturating_sub(HEADERS);
            Walk::new(slice::from_raw_parts(nlh.cast::<u8>().add(HEADERS), len))
        }
    }

    /// The socket of who asks.
    pub fn sender(&self) -> Sender {
        // SAFETY: A message that the core hands on, by the type invariant.
        unsafe { Sender::of(self.skb) }
    }

    /// Whether who asks has CAP_NET_ADMIN in the user namespace that owns `net`, and had it when the socket was opened
    /// (`netlink_ns_capable`).
    pub fn may_change(&self, net: &Net) -> bool {
        // SAFETY: The message is valid by the type invariant, the namespace and its owner by `net`.
        unsafe {
            bindings::netlink_ns_capable(
                self.skb.as_ptr(),
                bindings::net_user_ns(net.as_raw()),
                bindings::CAP_NET_ADMIN as c_int,
            )
        }
    }

    /// The namespace of who asks.
    pub fn net(&self) -> &Net {
        // SAFETY: The sender's socket keeps its namespace alive.
        unsafe { Net::from_raw(bindings::genl_info_net(self.info.as_ptr())) }
    }

    /// Where a refusal says why.
    pub fn extack(&self) -> ExtAck<'a> {
        // SAFETY: Valid, or NULL, by the type invariant.
        unsafe { ExtAck::from_raw((*self.info.as_ptr()).extack) }
    }

    /// What a command needs and was not sent: says which, in a sentence (`NL_SET_ERR_ATTR_MISS`). Returns `EINVAL`.
    pub fn missing(&self, kind: u16, msg: &'static CStr) -> Error {
        self.extack().missing(msg, kind);
        EINVAL
    }

    /// Refuses what attribute `kind` says: points to it, with a sentence (`NL_SET_BAD_ATTR`). Returns `error`.
    pub fn refuse(&self, kind: u16, msg: &'static CStr, error: Error) -> Error {
        match self.attributes.get(usize::from(kind)) {
            Some(attribute) => self.extack().attribute(msg, &attribute),
            None => self.extack().message(msg),
        }
        error
    }

    /// As [`missing`](Self::missing), within `nest`.
    pub fn missing_in(&self, nest: &Attribute<'_>, kind: u16, msg: &'static CStr) -> Error {
        self.extack().missing_in(msg, nest, kind);
        EINVAL
    }

    /// As [`refuse`](Self::refuse), within `nest`.
    pub fn refuse_in(
        &self,
        nest: &Attribute<'_>,
        kind: u16,
        msg: &'static CStr,
        error: Error,
    ) -> Error {
        self.extack()
            .attribute(msg, &nest.find(kind).unwrap_or(*nest));
        error
    }

    /// Begins the answer (`genlmsg_new`, `genlmsg_put`).
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn reply(&self) -> Result<Reply<'_>> {
        // SAFETY: Valid by the type invariant.
        unsafe { Reply::new(self.info) }
    }

    /// Looks for attributes that came twice, which the core allows (the last counts): an error in the sender, or an
    /// attempt to have two readers of one message understand different things.
    pub(super) fn check_unique(&self, multi: &[u16]) -> Result {
        for attribute in self.walk() {
            let kind = attribute.kind();
            if let Some(last) = self.attributes.get(usize::from(kind)) {
                if !multi.contains(&kind) && last.as_raw() != attribute.as_raw() {
                    self.extack().attribute(TWICE, &last);
                    return Err(EINVAL);
                }
            }
        }
        Ok(())
    }
}
