// SPDX-License-Identifier: GPL-2.0

//! The wire: what joins two ports, and all that one port may reach of the other.
//!
//! A wire is owned by both ports and goes with the last. It has two [`End`]s, one a port; each holds fixed arrays of
//!
//! - *inlets*: the receive side as the other port's engine sees it, the half of each RX ring that the engine fills,
//! - *outlets*: the transmit side, the half of each TX ring that the engine works on,
//!
//! and snapshots under RCU: how the port steers ([`Steer`], and [`Steering`] beside it) and what it takes ([`Filter`]).
//! A port never reaches the other's private data.

use crate::channel::Channel;
use crate::filter::Filter;
use crate::latency::{Latency, Sample};
use crate::limits::{CHANNELS_MAX, PAUSE_LIMIT_MS};
use crate::netlink::Home;
use crate::receive::RxDescriptor;
use crate::rules::Steering;
use crate::stats::{Drops, InletCounters, OutletCounters};
use crate::steer::Steer;
use crate::waiters::Waiters;
use kernel::prelude::*;
use kernel::sync::{static_lock_class, Arc};
use netdev::napi::Instance;
use netdev::ring::{Filler, Taker};
use netdev::rtnl::Rtnl;
use netdev::skb::{OwnedSkb, SkBuff};
use netdev::sync::{AtomicWord, Rcu, RcuArcOption, Snapshot, SpinLock, Word};

/// Which end of a wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    A,
    B,
}

impl Side {
    /// The other one.
    #[inline(always)]
    pub(crate) fn other(self) -> Side {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }
}

/// What a TX ring holds beside a packet, in one word, so that descriptors are as short and as quickly copied as without
/// it: its length, and its number if its way is watched.
#[derive(Clone, Copy)]
pub(crate) struct Label(u64);

impl Label {
    #[inline(always)]
    pub(crate) fn new(bytes: u32, sample: Sample) -> Self {
        Label(u64::from(bytes) | u64::from(sample) << u32::BITS)
    }

    /// What byte queue limits were told of the packet.
    #[inline(always)]
    pub(crate) fn bytes(self) -> u32 {
        self.0 as u32
    }

    /// Not 0 if its way is watched.
    #[inline(always)]
    pub(crate) fn sample(self) -> Sample {
        (self.0 >> u32::BITS) as Sample
    }
}

/// A packet in a TX ring. Rings of both kinds may hold both: when the datapath changes, packets move from one to the
/// other.
pub(crate) enum Posted {
    /// As the stack gave it, to be copied.
    Sent(SkBuff),
    /// Made its holder's own, to be handed off.
    Owned(OwnedSkb),
}

impl Posted {
    /// The packet.
    #[inline(always)]
    pub(crate) fn skb(&self) -> &SkBuff {
        match self {
            Posted::Sent(skb) => skb,
            Posted::Owned(owned) => owned.skb(),
        }
    }

    /// Gives it up as an ordinary packet.
    #[inline(always)]
    pub(crate) fn into_skb(self) -> SkBuff {
        match self {
            Posted::Sent(skb) => skb,
            Posted::Owned(owned) => owned.into_skb(),
        }
    }

    /// As its holder's own: it mostly is.
    ///
    /// # Errors
    ///
    /// As [`SkBuff::into_owned`].
    #[inline(always)]
    pub(crate) fn into_owned(self) -> Result<OwnedSkb> {
        match self {
            Posted::Sent(skb) => skb.into_owned(),
            Posted::Owned(owned) => Ok(owned),
        }
    }
}

/// A descriptor of a TX ring.
pub(crate) struct TxDescriptor {
    pub(crate) packet: Posted,
    pub(crate) label: Label,
}

/// How packets get from one end to the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Datapath {
    /// Copied as frames into buffers that the receiver posted: wire truth.
    Nic,
    /// The transmitted packet becomes the received one: speed.
    Handoff,
}

/// What the other end needs to deliver into a channel that is open.
pub(crate) struct InletOpen {
    /// The receive ring; `None` on a wire that hands packets off.
    pub(crate) ring: Option<Filler<RxDescriptor>>,
    /// To be raised when something was delivered.
    pub(crate) vector: Arc<Instance<Channel>>,
    /// Bytes that fit into each buffer.
    pub(crate) buffer_len: u32,
    /// Where in a buffer a frame starts, bytes.
    pub(crate) headroom: u32,
    /// Whether producers wait as on a full ring: the owner is about to exchange it.
    pub(crate) closing: bool,
    /// Whether somebody has waited for its buffers for too long: what finds none is dropped until one is found. Of
    /// the inlet and not of who waited, which may have frames for others too.
    pub(crate) pause_expired: bool,
}

impl InletOpen {
    /// Whether `n` buffers are posted.
    #[inline(always)]
    pub(crate) fn has(&mut self, n: u32) -> bool {
        self.ring.as_mut().is_some_and(|r| r.has(n))
    }

    /// The `i`-th posted buffer.
    #[inline(always)]
    pub(crate) fn descriptor(&mut self, i: u32) -> Option<&mut RxDescriptor> {
        self.ring.as_mut()?.get(i)
    }

    /// Buffers that the data of one packet can lie in: one that the packet is built around, if it is, and its
    /// fragments.
    #[inline(always)]
    pub(crate) fn buffers_max(&self) -> u32 {
        SkBuff::FRAGS_MAX.wrapping_add((self.headroom != 0).into())
    }

    /// Filled descriptors that the poll has not taken.
    pub(crate) fn untaken(&self) -> u32 {
        self.ring.as_ref().map_or(0, Filler::untaken)
    }
}

/// The receive side of a channel, as the other end's engine sees it.
#[pin_data]
pub(crate) struct Inlet {
    /// `None` is Closed. Producers hold the lock while they fill buffers.
    #[pin]
    pub(crate) lock: SpinLock<Option<InletOpen>>,
    /// Which of the other end's outlets wait for this channel.
    pub(crate) waiters: Waiters,
    /// Written under the lock.
    pub(crate) counters: InletCounters,
}

/// What the engine needs to take from a TX ring that is open.
pub(crate) struct OutletOpen {
    pub(crate) ring: Filler<TxDescriptor>,
    /// The taking half of the ring, on a wire that hands packets off: whoever receives takes, under the lock. On
    /// another it is the port's own poll's.
    pub(crate) taker: Option<Taker<TxDescriptor>>,
    /// The port's own, to be raised for completions.
    pub(crate) vector: Arc<Instance<Channel>>,
    /// Since when the head frame waits for buffers, nanoseconds; 0 if it does not.
    pub(crate) waiting_since: u64,
    /// Bytes moved since the own vector was last raised for completions.
    pub(crate) uncompleted_bytes: u32,
    /// How far the head packet has been segmented.
    pub(crate) cursor: pure::segment::Cursor,
    /// The last hash, by its input.
    pub(crate) memo: pure::toeplitz::Memo,
}

impl OutletOpen {
    /// One whose head packet has been segmented up to `cursor`.
    pub(crate) fn new(
        ring: Filler<TxDescriptor>,
        taker: Option<Taker<TxDescriptor>>,
        vector: Arc<Instance<Channel>>,
        cursor: pure::segment::Cursor,
    ) -> Self {
        OutletOpen {
            ring,
            taker,
            vector,
            waiting_since: 0,
            uncompleted_bytes: 0,
            cursor,
            memo: pure::toeplitz::Memo::new(),
        }
    }

    /// Whether its packets are handed off: the engine has nothing to do with them then.
    #[inline(always)]
    pub(crate) fn hands_off(&self) -> bool {
        self.taker.is_some()
    }
}

/// The transmit side of a channel.
#[pin_data]
pub(crate) struct Outlet {
    /// `None` is Closed. The engine runs under it.
    #[pin]
    pub(crate) lock: SpinLock<Option<OutletOpen>>,
    /// Not 0 if something was posted and the engine was not run, as it may not be with interrupts off, or not to the
    /// end. Set under the queue's lock or this one, cleared by who runs the engine.
    pub(crate) kicked: Word<u32>,
    /// Not 0 while the head frame waits for the receiver. Written under the lock.
    pub(crate) waiting: Word<u32>,
    /// Not 0 if the transmit queue may not send until something completes. Written under the queue's lock.
    pub(crate) held: Word<u32>,
    /// Written under the lock.
    pub(crate) counters: OutletCounters,
}

/// One end of a wire.
pub(crate) struct End {
    pub(crate) inlets: KVec<Pin<KBox<Inlet>>>,
    pub(crate) outlets: KVec<Pin<KBox<Outlet>>>,
    pub(crate) steer: Rcu<Steer>,
    pub(crate) steering: Steering,
    pub(crate) filter: Rcu<Filter>,
    /// Watches the ways of packets that come to this end, while they are sampled. Replaced under RTNL.
    pub(crate) latency: RcuArcOption<Latency>,
    /// Whether this end asks the other to wait when it has no buffers (`ethtool -A tx`), and whether it waits when
    /// asked (`rx`).
    pub(crate) pause_tx: Word<u32>,
    pub(crate) pause_rx: Word<u32>,
    /// Whether this end merges what it receives by itself (`ethtool -K rx-gro-hw`). Written under the instance lock.
    pub(crate) merges: Word<u32>,
    /// For how long the other end may make this one wait, milliseconds. Written under the lock of the namespace's
    /// ports.
    pub(crate) pause_limit_ms: Word<u32>,
    /// Where the control family knows the port.
    pub(crate) home: Home,
    /// Frames that were left in TX rings or RX rings when they were closed; written under the instance lock.
    pub(crate) closed: Drops,
}

impl End {
    fn new(channels: u32, other: u32) -> Result<Self> {
        let mut inlets = KVec::with_capacity(channels as usize, GFP_KERNEL_ACCOUNT)?;
        let mut outlets = KVec::with_capacity(channels as usize, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..channels {
            let waiters = Waiters::new(other)?;
            inlets.push(
                KBox::pin_init(
                    pin_init!(Inlet {
                        lock <- SpinLock::new(None, c"ferronic_inlet", static_lock_class!()),
                        waiters,
                        counters: InletCounters::default(),
                    }),
                    GFP_KERNEL_ACCOUNT,
                )?,
                GFP_KERNEL_ACCOUNT,
            )?;
            outlets.push(
                KBox::pin_init(
                    pin_init!(Outlet {
                        lock <- SpinLock::new(None, c"ferronic_outlet", static_lock_class!()),
                        kicked: Word::new(0),
                        waiting: Word::new(0),
                        held: Word::new(0),
                        counters: OutletCounters::default(),
                    }),
                    GFP_KERNEL_ACCOUNT,
                )?,
                GFP_KERNEL_ACCOUNT,
            )?;
        }
        Ok(End {
            inlets,
            outlets,
            steer: Rcu::new(Snapshot::init(Steer::closed())?),
            steering: Steering::new()?,
            filter: Rcu::new(Snapshot::init(Filter::closed())?),
            latency: RcuArcOption::empty(),
            pause_tx: Word::new(1),
            pause_rx: Word::new(1),
            merges: Word::new(1),
            pause_limit_ms: Word::new(PAUSE_LIMIT_MS),
            home: Home::new()?,
            closed: Drops::default(),
        })
    }
}

impl End {
    /// For how long the other end may make this one wait, nanoseconds.
    pub(crate) fn pause_limit_ns(&self) -> u64 {
        u64::from(self.pause_limit_ms.read()).wrapping_mul(1_000_000)
    }
}

/// The wire.
pub(crate) struct Wire {
    /// Its number, for users.
    pub(crate) id: u32,
    /// Not 0 if packets are handed off: what channels are made for. Written under RTNL. While that changes, what is
    /// open says itself what it was made for.
    handoff: Word<u32>,
    /// How many of the ends sample what comes to them. Written under RTNL.
    pub(crate) sampled: Word<u32>,
    a: End,
    b: End,
}

/// Wires made so far.
static NUMBER: AtomicWord = AtomicWord::new(0);

impl Wire {
    /// Makes a wire for ports with at most these many channels.
    pub(crate) fn new(a: u32, b: u32, datapath: Datapath) -> Result<Arc<Wire>> {
        if a > CHANNELS_MAX || b > CHANNELS_MAX {
            return Err(EINVAL);
        }
        Ok(Arc::new(
            Wire {
                id: (NUMBER.fetch_add(1) as u32).wrapping_add(1),
                handoff: Word::new(u32::from(datapath == Datapath::Handoff)),
                sampled: Word::new(0),
                a: End::new(a, b)?,
                b: End::new(b, a)?,
            },
            GFP_KERNEL_ACCOUNT,
        )?)
    }

    /// How packets get across.
    #[inline(always)]
    pub(crate) fn datapath(&self) -> Datapath {
        match self.handoff.read() {
            0 => Datapath::Nic,
            _ => Datapath::Handoff,
        }
    }

    /// Changes what channels are made for from now on. Those that are open are changed by
    /// [`reconfigure::Changeover`](crate::reconfigure::Changeover), whose part this is.
    pub(crate) fn set_datapath(&self, datapath: Datapath, _rtnl: &Rtnl) {
        self.handoff.write(u32::from(datapath == Datapath::Handoff));
    }

    /// The end of that side.
    #[inline(always)]
    pub(crate) fn end(&self, side: Side) -> &End {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }
}
