// SPDX-License-Identifier: GPL-2.0

//! How a port steers what it receives: the snapshot that the other end's engine reads.

use crate::limits::CHANNELS_MAX;
use kernel::prelude::*;
use netdev::skb::HashKind;
use pure::flow::{HashFields, Transform};
use pure::header::Headers;
use pure::steer;
use pure::toeplitz::{self, Memo, Table};

/// Entries of the largest indirection table.
pub(crate) const TABLE_MAX: usize = match steer::size_for(CHANNELS_MAX) {
    Some(n) => n as usize,
    None => 0,
};

/// RSS: how frames are spread over channels by a hash.
///
/// A port has one such, in its [`Steer`], and one for each RSS context.
pub(crate) struct Spread {
    /// Distinguishes keys, for remembered hashes.
    generation: u32,
    transform: Transform,
    fields: HashFields,
    size: u16,
    indirection: [u16; TABLE_MAX],
    table: Table,
}

/// Where a frame goes.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    /// The channel; [`Way::NOWHERE`] if a rule says so.
    pub(crate) channel: u16,
    pub(crate) hash: u32,
    /// Of what the hash is; `None` if the frame has none.
    pub(crate) kind: Option<HashKind>,
    /// Location of the rule that chose the channel, or [`Way::NO_RULE`].
    pub(crate) rule: u16,
}

impl Way {
    /// There is no such channel.
    pub(crate) const NOWHERE: u16 = u16::MAX;
    /// There is no such location.
    pub(crate) const NO_RULE: u16 = u16::MAX;
}

/// A snapshot of the receive steering.
pub(crate) struct Steer {
    /// Whether the port has open inlets at all.
    pub(crate) open: bool,
    /// How many channels it has.
    pub(crate) channels: u16,
    /// What holds for frames that no rule sends elsewhere.
    pub(crate) spread: Spread,
}

/// What the user sets of RSS, without a context or in one.
pub(crate) struct SteerConfig {
    pub(crate) key: [u8; toeplitz::KEY_MAX],
    pub(crate) indirection: KVec<u16>,
    pub(crate) transform: Transform,
    pub(crate) fields: HashFields,
    /// Counts changes of the key.
    pub(crate) generation: u32,
}

impl SteerConfig {
    /// A copy to change.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn copy(&self) -> Result<Self> {
        let mut indirection = KVec::new();
        indirection.extend_from_slice(&self.indirection, GFP_KERNEL_ACCOUNT)?;
        Ok(SteerConfig {
            indirection,
            ..*self
        })
    }

    /// The indirection table for another number of channels: the user's with its pattern, or the default. `user` is
    /// how many entries of it the user gave, 0 if it is the default.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the user's table does not fit, or leads to channels that would not be there.
    pub(crate) fn table_for(&self, channels: u32, user: u32) -> Result<KVec<u16>> {
        let size = steer::size_for(channels).ok_or(EINVAL)? as usize;
        let mut table = KVec::from_elem(0u16, size, GFP_KERNEL_ACCOUNT)?;
        if user != 0 {
            if !steer::can_resize(&self.indirection, size, user as usize) {
                return Err(EINVAL);
            }
            steer::resize(&mut table, &self.indirection);
            if !steer::is_valid(&table, channels) {
                return Err(EINVAL);
            }
        } else {
            steer::spread(&mut table, channels as u16);
        }
        Ok(table)
    }
}

impl Spread {
    /// That of a port which is down.
    pub(crate) fn none() -> impl Init<Self> {
        init!(Spread {
            generation: 0,
            transform: Transform::None,
            fields: HashFields::new(),
            size: 0,
            indirection <- pin_init::init_array_from_fn(|_| 0u16),
            table <- pin_init::init_array_from_fn(|_| [[0u32; 16]; 2]),
        })
    }

    /// Sets it from what the user wants, with a table of its own or another.
    pub(crate) fn set(&mut self, config: &SteerConfig, table: &[u16]) {
        self.generation = config.generation;
        self.transform = config.transform;
        self.fields = config.fields;
        self.size = table.len().min(TABLE_MAX) as u16;
        for (to, from) in self.indirection.iter_mut().zip(table.iter()) {
            *to = *from;
        }
        toeplitz::fill(&mut self.table, &config.key);
    }

    /// The channel that a hash leads to.
    #[inline(always)]
    pub(crate) fn channel(&self, hash: u32) -> u16 {
        self.indirection
            .get(..usize::from(self.size))
            .and_then(|t| steer::channel(t, hash))
            .unwrap_or(0)
    }

    /// Where a frame goes by its hash; without one to the first channel.
    #[inline(always)]
    pub(crate) fn way(&self, frame: &[u8], headers: &Headers, memo: &mut Memo) -> Way {
        let mut way = Way {
            channel: 0,
            hash: 0,
            kind: None,
            rule: Way::NO_RULE,
        };
        let tuple = self.fields.four_tuple(frame, headers, self.transform);
        if let Some(hash) = tuple.and_then(|t| memo.recall(self.generation, &t)) {
            way.hash = hash;
            way.kind = Some(HashKind::L4);
            way.channel = self.channel(hash);
        } else if let Some(input) = self.fields.input(frame, headers, self.transform) {
            way.hash = memo.hash(&self.table, self.generation, &input);
            way.kind = Some(if input.has_ports() {
                HashKind::L4
            } else {
                HashKind::L3
            });
            way.channel = self.channel(way.hash);
        }
        way
    }

    /// The same in a context: a frame without a hash goes where its table says first, and not astray.
    pub(crate) fn way_within(&self, frame: &[u8], headers: &Headers, memo: &mut Memo) -> Way {
        let mut way = self.way(frame, headers, memo);
        if way.kind.is_none() {
            way.channel = self.channel(0);
        }
        way
    }
}

impl Steer {
    /// That of a port which is down.
    pub(crate) fn closed() -> impl Init<Self> {
        init!(Steer {
            open: false,
            channels: 0,
            spread <- Spread::none(),
        })
    }

    /// Sets it from what the user wants, with a table of its own or another.
    pub(crate) fn set(&mut self, config: &SteerConfig, table: &[u16], channels: u32) {
        self.open = true;
        self.channels = channels as u16;
        self.spread.set(config, table);
    }
}
