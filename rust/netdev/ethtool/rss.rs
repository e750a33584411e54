// SPDX-License-Identifier: GPL-2.0

//! Receive-side scaling.
//!
//! Beside the settings by which frames are steered there can be further sets of them, contexts, to which n-tuple rules
//! send frames. The core keeps a copy of each context (`struct ethtool_rxfh_context`) and answers questions from it.

use crate::device::{Driver, Locked};
use crate::errno::EOPNOTSUPP;
use crate::netlink::ExtAck;
use crate::rtnl::Rtnl;
use core::slice;
use kernel::prelude::*;
use netdev_sys as bindings;

/// How source and destination are combined before they are hashed (`RXH_XFRM_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transforms(pub(super) u8);

impl Transforms {
    /// They are not.
    pub const NONE: Transforms = Transforms(0);
    /// Both become source ^ destination.
    pub const SYMMETRIC_XOR: Transforms = Transforms(bindings::RXH_XFRM_SYM_XOR as u8);
    /// The source becomes source | destination, the destination source ^ destination.
    pub const SYMMETRIC_OR_XOR: Transforms = Transforms(bindings::RXH_XFRM_SYM_OR_XOR as u8);

    /// Both sets.
    pub const fn union(self, other: Transforms) -> Transforms {
        Transforms(self.0 | other.0)
    }

    /// The `RXH_XFRM_*` bits.
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// From `RXH_XFRM_*` bits, those of one transformation.
    pub const fn from_bits(bits: u32) -> Option<Transforms> {
        match bits {
            0 | bindings::RXH_XFRM_SYM_XOR | bindings::RXH_XFRM_SYM_OR_XOR => {
                Some(Transforms(bits as u8))
            }
            _ => None,
        }
    }
}

/// What a device steers by, to be filled in (`struct ethtool_rxfh_param` of `get_rxfh`).
///
/// # Invariants
///
/// `raw.indir` is NULL or an array of `table` entries, `raw.key` NULL or one of `key` bytes.
pub struct RssReply<'a> {
    raw: &'a mut bindings::ethtool_rxfh_param,
    table: u32,
    key: u32,
}

impl<'a> RssReply<'a> {
    /// # Safety
    ///
    /// As the invariants of the type have it. The sizes in `raw` are not always set.
    pub(super) unsafe fn new(
        raw: &'a mut bindings::ethtool_rxfh_param,
        table: u32,
        key: u32,
    ) -> Self {
        raw.hfunc = bindings::ETH_RSS_HASH_TOP;
        // INVARIANT: By the caller's promise.
        RssReply { raw, table, key }
    }

    /// The indirection table, if it is wanted: as many entries as the driver said it has.
    pub fn indirection(&mut self) -> Option<&mut [u32]> {
        if self.raw.indir.is_null() {
            return None;
        }
        // SAFETY: By the type invariant.
        Some(unsafe { slice::from_raw_parts_mut(self.raw.indir, self.table as usize) })
    }

    /// The key, if it is wanted: as many bytes as the driver said it has.
    pub fn key(&mut self) -> Option<&mut [u8]> {
        if self.raw.key.is_null() {
            return None;
        }
        // SAFETY: By the type invariant.
        Some(unsafe { slice::from_raw_parts_mut(self.raw.key, self.key as usize) })
    }

    /// Says how the input is transformed.
    pub fn set_transform(&mut self, transform: Transforms) {
        self.raw.input_xfrm = transform.0;
    }
}

/// What a device is to steer by: only what is `Some` changes (`struct ethtool_rxfh_param` of `set_rxfh`).
#[derive(Clone, Copy, Debug)]
pub struct RssRequest<'a> {
    /// The indirection table: as many entries as the driver said it has, each of a queue in use.
    pub indirection: Option<&'a [u32]>,
    /// The key: as many bytes as the driver said it has.
    pub key: Option<&'a [u8]>,
    /// How the input is transformed: one of those the driver offers.
    pub transform: Option<Transforms>,
}

impl<'a> RssRequest<'a> {
    /// # Errors
    ///
    /// `EOPNOTSUPP` if another hash function than Toeplitz, or an unknown transformation, is asked for.
    pub(super) fn new(raw: &'a bindings::ethtool_rxfh_param, extack: &ExtAck<'_>) -> Result<Self> {
        if u32::from(raw.hfunc) != bindings::ETH_RSS_HASH_NO_CHANGE
            && raw.hfunc != bindings::ETH_RSS_HASH_TOP
        {
            extack.message(c"hfunc: the hash function is Toeplitz");
            return Err(EOPNOTSUPP());
        }
        let transform = if u32::from(raw.input_xfrm) == bindings::RXH_XFRM_NO_CHANGE {
            None
        } else {
            let t = Transforms::from_bits(raw.input_xfrm.into());
            if t.is_none() {
                extack.message(c"input-xfrm: at most one transformation");
                return Err(EINVAL);
            }
            t
        };
        Ok(RssRequest {
            indirection: (!raw.indir.is_null()).then(|| {
                // SAFETY: An array of so many entries.
                unsafe { slice::from_raw_parts(raw.indir, raw.indir_size as usize) }
            }),
            key: (!raw.key.is_null()).then(|| {
                // SAFETY: An array of so many bytes.
                unsafe { slice::from_raw_parts(raw.key, raw.key_size as usize) }
            }),
            transform,
        })
    }
}

/// The number and size of RSS contexts that the devices of a driver can have; see `struct ethtool_ops`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RssContexts {
    /// Numbers of contexts are below this (`rxfh_max_num_contexts`); 0 counts as one, the settings that are no context.
    pub max: u32,
    /// Most entries of an indirection table (`rxfh_indir_space`): the core makes room for these in a context.
    pub table_max: u32,
    /// Most bytes of a hash key (`rxfh_key_space`), likewise.
    pub key_max: u16,
}

impl RssContexts {
    /// There are none.
    pub const NONE: RssContexts = RssContexts {
        max: 0,
        table_max: 0,
        key_max: 0,
    };
}

/// Calls `f` with a reply that goes into what the core keeps of a new context.
///
/// # Safety
///
/// `context` is one that the core has just allocated for the device that was last asked for sizes, and passes to
/// `create_rxfh_context`.
pub(super) unsafe fn fill_context(
    context: *mut bindings::ethtool_rxfh_context,
    f: impl FnOnce(&mut RssReply<'_>) -> Result,
) -> Result {
    // SAFETY: By the caller's promise it is valid, and nobody else has it.
    let context = unsafe { &mut *context };
    let data: *mut u8 = context.data.as_mut_ptr();
    let mut raw = bindings::ethtool_rxfh_param {
        // `ethtool_rxfh_context_indir()`: the table is behind the driver's private data, of which there is none.
        indir: data.cast(),
        // SAFETY: `ethtool_rxfh_context_key()`: the offset is one within the allocation.
        key: unsafe { data.add(context.key_off as usize) },
        ..Default::default()
    };
    // SAFETY: The core has made room for arrays of these sizes there; the table is aligned as `data` is.
    let mut reply = unsafe { RssReply::new(&mut raw, context.indir_size, context.key_size) };
    f(&mut reply)?;
    context.hfunc = raw.hfunc;
    context.input_xfrm = raw.input_xfrm;
    Ok(())
}

/// A type of flow that has hash fields of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlowType {
    /// TCP over IPv4.
    Tcp4,
    /// UDP over IPv4.
    Udp4,
    /// SCTP over IPv4.
    Sctp4,
    /// IPv4 with anything else.
    Ip4,
    /// TCP over IPv6.
    Tcp6,
    /// UDP over IPv6.
    Udp6,
    /// SCTP over IPv6.
    Sctp6,
    /// IPv6 with anything else.
    Ip6,
    /// Anything else, by its Ethernet header.
    Ether,
}

impl FlowType {
    /// From ethtool's `*_FLOW` numbers; `None` for those that nobody here hashes apart.
    pub(super) fn from_raw(raw: u32) -> Option<Self> {
        Some(match raw {
            bindings::TCP_V4_FLOW => FlowType::Tcp4,
            bindings::UDP_V4_FLOW => FlowType::Udp4,
            bindings::SCTP_V4_FLOW => FlowType::Sctp4,
            bindings::IPV4_FLOW => FlowType::Ip4,
            bindings::TCP_V6_FLOW => FlowType::Tcp6,
            bindings::UDP_V6_FLOW => FlowType::Udp6,
            bindings::SCTP_V6_FLOW => FlowType::Sctp6,
            bindings::IPV6_FLOW => FlowType::Ip6,
            bindings::ETHER_FLOW => FlowType::Ether,
            _ => return None,
        })
    }
}

/// Fields of a packet that are hashed, as `RXH_*` bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HashFields(pub u32);

impl<D: Driver> Locked<'_, D> {
    /// How many entries of the indirection table the user gave: 0 if the table is the default one, fewer than it
    /// has if the core repeats a shorter one.
    ///
    /// It says what a table may become when the number of queues changes, as `ethtool_rxfh_indir_can_resize()`.
    pub fn rss_user_entries(&self) -> u32 {
        // SAFETY: The state is allocated with the device; the field changes under the instance lock, which is held.
        unsafe { (*(*self.as_raw()).ethtool).rss_indir_user_size }
    }

    /// Whether the tables of all contexts can be made `entries` long without losing what users asked for
    /// (`ethtool_rxfh_ctxs_can_resize`). It is never so for none, or more than [`RssContexts::table_max`].
    ///
    /// It takes the lock of the contexts. The operations on them are called with it, and without RTNL.
    pub fn rss_contexts_can_resize(&mut self, entries: u32, _rtnl: &Rtnl) -> bool {
        if entries == 0 || !self.is_registered() {
            return false;
        }
        // SAFETY: The device is registered; the instance lock is held, the lock of the contexts is not: the operations
        // that are called with it have no RTNL to show.
        unsafe { bindings::ethtool_rxfh_ctxs_can_resize(self.as_raw(), entries) == 0 }
    }

    /// Makes the tables of all contexts `entries` long in what the core keeps of them, and says so to those who listen
    /// (`ethtool_rxfh_ctxs_resize`): longer ones repeat the shorter.
    ///
    /// # Errors
    ///
    /// `EINVAL` if that [cannot be done](Self::rss_contexts_can_resize); nothing changes then.
    pub fn rss_contexts_resize(&mut self, entries: u32, rtnl: &Rtnl) -> Result {
        if !self.rss_contexts_can_resize(entries, rtnl) {
            return Err(EINVAL);
        }
        // SAFETY: As in `rss_contexts_can_resize`. Room is kept for the longest table a driver can have, which is not
        // exceeded, as just seen; no table is empty, see `get_rxfh_indir_size`.
        unsafe { bindings::ethtool_rxfh_ctxs_resize(self.as_raw(), entries) };
        Ok(())
    }
}
