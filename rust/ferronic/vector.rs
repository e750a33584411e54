// SPDX-License-Identifier: GPL-2.0

//! Vectors: virtual interrupts with moderation.
//!
//! A vector is masked while its NAPI instance is scheduled or is polled by the core on its own account (deferral,
//! busy polling), and unmasked when a poll has been completed. Raising a masked vector leaves a mark, which
//! completion finds; so no event is lost, and none schedules twice. The mark says whether it can wait. Only who
//! [restarts](Vector::restart) a vector goes past that: the core lets one poll run, and go on.
//!
//! ```text
//!            raise                            poll begins
//!   Idle -----------> Masked+Pending[+Urgent] -------------> Masked
//!    ^                          ^                              |
//!    |                          +------------ raise -----------+
//!    +------------------ completed, nothing pending -----------+
//! ```
//!
//! Moderation is that of interrupt throttling: an idle vector is raised at once, and only raises that come closer
//! than `rx-usecs` to the last one are held back by a timer, or until `rx-frames` frames have come. A vector that had
//! no more than a frame or two to deliver last time carries single packets and their answers, not a flood: it is held
//! for a quarter of that. So a round trip is short and a flood comes in batches, at the same settings. Transmit
//! completions ride on the polls for reception; where there are none, a timer of `tx-usecs` or `tx-frames`
//! completions raise the vector.
//!
//! [`Vector::fire`] is the one place that schedules a NAPI: on the CPU that raised the vector, until vectors get
//! an affinity of their own.

use crate::channel::Channel;
use crate::ethtool::Moderation;
use crate::limits::HOLD_TICK_NS;
use crate::stats::PollCounters;
use crate::wire::{Side, Wire};
use kernel::prelude::*;
use kernel::sync::{static_lock_class, Arc};
use netdev::clock::now_ns;
use netdev::dim;
use netdev::napi::{Instance, Timer};
use netdev::sync::{smp_mb, AtomicWord, SpinLock, Word};

const ADAPTING_RX: u32 = 1;
const ADAPTING_TX: u32 = 2;

const IDLE: u64 = 0;
const MASKED: u64 = 1;
const PENDING: u64 = 3;
/// Pending, and not to be moderated.
const URGENT: u64 = 7;

/// After how many ticks without a frame what the poll holds is not to wait longer.
const QUIET_TICKS: u32 = 4;

/// How many ticks a packet that the poll holds waits for the next frame of its stream, at most, however many come of
/// others: less than a sender waits before it sends again, or a receiver before it acknowledges.
const WAIT_TICKS: u32 = 32;

/// Settings of the moderation, in microseconds and frames. 0 microseconds: at once. 0 frames: however many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Coalesce {
    pub(crate) rx_usecs: u32,
    pub(crate) rx_frames: u32,
    pub(crate) tx_usecs: u32,
    pub(crate) tx_frames: u32,
}

impl Coalesce {
    /// What a port starts with.
    ///
    /// 80 us between raises lets a flood of small frames arrive in batches of about twenty. Completions are needed
    /// soon only by a queue that is held, and such a queue does not wait for the timer.
    pub(crate) const DEFAULT: Coalesce = Coalesce {
        rx_usecs: 80,
        rx_frames: 64,
        tx_usecs: 200,
        tx_frames: 64,
    };
}

/// A vector that delivered no more than this last time is held for 1/2^[`QUIET_SHIFT`] of `rx-usecs` only: 20 us of
/// the 80 that it starts with.
const QUIET_SHIFT: u32 = 2;
const QUIET_FRAMES: u32 = 2;

/// Bytes sent after which completions do not wait for their timer: TCP's small queues want them.
const COMPLETION_BYTES: u32 = 32 * 1024;

/// The least time to the next look at an outlet that waits: 1 ms.
const PAUSE_LOOK_NS: u64 = 1_000_000;

/// Where the moderation comes from. A user changes it, and at the same time the library that adapts it.
#[derive(Clone, Copy)]
struct Settings {
    user: Moderation,
    /// What the library that adapts has found, in microseconds and frames.
    adapted: Coalesce,
}

/// The shared part of a channel: its virtual interrupt.
pub(crate) struct Vector {
    state: AtomicWord,
    /// Whether a raise is held back: the Moderation timer runs. Whoever clears it schedules.
    held: AtomicWord,
    /// Whether the Completion timer runs.
    completion_armed: AtomicWord,
    /// Whether the Pause timer runs.
    pause_armed: AtomicWord,
    /// Whether the Aggregation timer runs. Written by the poll while it does not, by the timer while it does.
    ticking: Word<u32>,
    /// Its ticks; written by the timer.
    ticks: Word<u32>,
    /// How many of them there had been when the last frame came of the packet that has waited longest. Written by the
    /// poll, while it holds one.
    oldest: Word<u32>,
    /// Its ticks since the last frame; written by the timer.
    quiet_ticks: Word<u32>,
    /// Whether frames came since the last tick; set by the poll, cleared by the timer.
    stirred: Word<u32>,
    /// Whether it has been quiet for long enough; set by the timer, cleared by the poll.
    quiet: Word<u32>,
    /// Whether the poll holds packets to merge others with. Written by the poll.
    holds: Word<u32>,
    /// Whether it is to hold none. Written in process context, under RTNL and the instance lock.
    draining: Word<u32>,
    /// When the vector was last raised, nanoseconds. Written by who took the state out of Idle; two at once beside a
    /// restart.
    last: Word<u64>,
    /// Frames since the vector was last raised. Written under the inlet's lock, and by who fires.
    frames: Word<u32>,
    /// Frames that the last raise was for.
    last_frames: Word<u32>,
    // The moderation that acts. Written under the lock of `settings`.
    rx_usecs: Word<u32>,
    rx_frames: Word<u32>,
    tx_usecs: Word<u32>,
    tx_frames: Word<u32>,
    /// Whether anything of it adapts to the traffic.
    adapting: Word<u32>,
    settings: Arc<SpinLock<Settings>>,
    /// The port's counters. Raises are counted by who took the state out of Idle; a [`restart`](Self::restart) is none.
    counters: Arc<KVec<PollCounters>>,
    pub(crate) wire: Arc<Wire>,
    pub(crate) side: Side,
    pub(crate) index: u16,
}

impl Vector {
    pub(crate) fn new(
        wire: Arc<Wire>,
        side: Side,
        index: u16,
        user: Moderation,
        counters: Arc<KVec<PollCounters>>,
    ) -> Result<Self> {
        let settings = Settings {
            user,
            adapted: user.coalesce,
        };
        let v = Vector {
            state: AtomicWord::new(IDLE),
            held: AtomicWord::new(0),
            completion_armed: AtomicWord::new(0),
            pause_armed: AtomicWord::new(0),
            ticking: Word::new(0),
            ticks: Word::new(0),
            oldest: Word::new(0),
            quiet_ticks: Word::new(0),
            stirred: Word::new(0),
            quiet: Word::new(0),
            holds: Word::new(0),
            draining: Word::new(0),
            last: Word::new(0),
            frames: Word::new(0),
            last_frames: Word::new(0),
            rx_usecs: Word::new(0),
            rx_frames: Word::new(0),
            tx_usecs: Word::new(0),
            tx_frames: Word::new(0),
            adapting: Word::new(0),
            settings: Arc::pin_init(
                SpinLock::new(settings, c"ferronic_moderation", static_lock_class!()),
                GFP_KERNEL_ACCOUNT,
            )?,
            counters,
            wire,
            side,
            index,
        };
        v.settle(&settings);
        Ok(v)
    }

    /// Changes what a user has set; acts from the next raise on. Process context.
    pub(crate) fn set_moderation(&self, user: Moderation) {
        let mut s = self.settings.lock_bh();
        s.user = user;
        self.settle(&s);
    }

    /// Sets what adapting begins with, which is no adaptation. Process context.
    pub(crate) fn adapt_from(&self, rx: dim::Moderation, tx: dim::Moderation) {
        let mut s = self.settings.lock_bh();
        s.adapted = Coalesce {
            rx_usecs: rx.usecs.into(),
            rx_frames: rx.packets.into(),
            tx_usecs: tx.usecs.into(),
            tx_frames: tx.packets.into(),
        };
        self.settle(&s);
    }

    /// Changes the moderation of reception if it adapts. Process context.
    pub(crate) fn adapt_rx(&self, m: dim::Moderation) {
        let mut s = self.settings.lock_bh();
        self.count_adaptation(s.user.adaptive_rx);
        s.adapted.rx_usecs = m.usecs.into();
        s.adapted.rx_frames = m.packets.into();
        self.settle(&s);
    }

    /// Changes the moderation of completions if it adapts. Process context.
    pub(crate) fn adapt_tx(&self, m: dim::Moderation) {
        let mut s = self.settings.lock_bh();
        self.count_adaptation(s.user.adaptive_tx);
        s.adapted.tx_usecs = m.usecs.into();
        s.adapted.tx_frames = m.packets.into();
        self.settle(&s);
    }

    /// Counts what comes into force. Under the lock of the settings.
    fn count_adaptation(&self, adaptive: bool) {
        if let (true, Some(c)) = (adaptive, self.counters.get(usize::from(self.index))) {
            c.adaptations.inc();
        }
    }

    /// The moderation in force, as a user sets it.
    pub(crate) fn coalesce(&self) -> Coalesce {
        let frames = |n: u32| if n == u32::MAX { 0 } else { n };
        Coalesce {
            rx_usecs: self.rx_usecs.read(),
            rx_frames: frames(self.rx_frames.read()),
            tx_usecs: self.tx_usecs.read(),
            tx_frames: frames(self.tx_frames.read()),
        }
    }

    /// Lets what holds act. Under the lock of the settings.
    fn settle(&self, s: &Settings) {
        // 0 is "no such number" for frames.
        let frames = |n: u32| if n == 0 { u32::MAX } else { n };
        let pick = |adaptive: bool| {
            if adaptive {
                &s.adapted
            } else {
                &s.user.coalesce
            }
        };
        let (rx, tx) = (pick(s.user.adaptive_rx), pick(s.user.adaptive_tx));
        self.rx_usecs.write(rx.rx_usecs);
        self.rx_frames.write(frames(rx.rx_frames));
        self.tx_usecs.write(tx.tx_usecs);
        self.tx_frames.write(frames(tx.tx_frames));
        let bits = (u32::from(s.user.adaptive_rx) * ADAPTING_RX)
            | (u32::from(s.user.adaptive_tx) * ADAPTING_TX);
        self.adapting.write(bits);
    }

    /// Whether reception and completions adapt to the traffic.
    #[inline(always)]
    pub(crate) fn adapts(&self) -> (bool, bool) {
        let bits = self.adapting.read();
        (bits & ADAPTING_RX != 0, bits & ADAPTING_TX != 0)
    }

    /// Polls once, whatever was raised before: while the NAPI instance was disabled, when nothing could be scheduled,
    /// or masked, as it is while the core puts polling off. Any context.
    pub(crate) fn restart(instance: &Instance<Channel>) {
        let v = instance.shared();
        v.held.xchg(0);
        // Not by way of Idle, which would let somebody else fire at the same time.
        v.state.xchg(URGENT);
        instance.schedule();
    }

    /// Tells the poll to hold nothing, until it is [given](Self::emptied) other rings. Returns whether it holds
    /// something, and so has to be raised. Process context, under RTNL and the instance lock.
    pub(crate) fn drain(&self) -> bool {
        self.draining.write(1);
        self.is_holding()
    }

    /// Whether the poll held something when it last ended.
    #[inline(always)]
    pub(crate) fn is_holding(&self) -> bool {
        self.holds.read() != 0
    }

    /// Whether the poll is to hold nothing.
    #[inline]
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.read() != 0
    }

    /// The poll, which is disabled, has been given other rings, and holds nothing. Process context, under RTNL and the
    /// instance lock.
    pub(crate) fn emptied(&self) {
        self.draining.write(0);
        self.holds.write(0);
    }

    /// A poll begins: what is raised from now on is to be seen by another one.
    #[inline]
    pub(crate) fn begin(&self) {
        // A full barrier: the rings are looked at after it.
        self.state.xchg(MASKED);
    }

    /// The NAPI instance is complete: unmask, or go again if something was raised meanwhile.
    #[inline]
    pub(crate) fn completed(instance: &Instance<Channel>) {
        let v = instance.shared();
        match v.state.cmpxchg(MASKED, IDLE) {
            // Idle: another poll, of who restarted the vector, began and has ended meanwhile, or will.
            Ok(_) | Err(IDLE) => (),
            Err(URGENT) => v.fire(instance, now_ns()),
            Err(_) => v.moderate(instance),
        }
    }

    /// The poll asks whether no frames have come for so long that nothing is to wait any more; it `received` some or
    /// none.
    #[inline]
    pub(crate) fn is_quiet(&self, received: bool) -> bool {
        let quiet = self.quiet.read() != 0;
        if quiet {
            self.quiet.write(0);
        }
        if received {
            self.stirred.write(1);
        }
        quiet && !received
    }

    /// Ticks so far, of those while the poll held packets.
    #[inline(always)]
    pub(crate) fn ticks(&self) -> u32 {
        self.ticks.read()
    }

    /// Whether what has waited since `then` is not to wait longer `now`, in [ticks](Self::ticks).
    #[inline(always)]
    pub(crate) fn is_over(now: u32, then: u32) -> bool {
        now.wrapping_sub(then) > WAIT_TICKS
    }

    /// The poll ends; if it holds packets, since when, in [ticks](Self::ticks), the one that has waited longest does.
    /// It will be polled again when that is over, or it has become quiet. Returns whether the Aggregation timer is to
    /// be started, for a [tick](HOLD_TICK_NS).
    #[inline]
    #[must_use]
    pub(crate) fn holds(&self, oldest: Option<u32>) -> bool {
        if let Some(oldest) = oldest {
            self.oldest.write(oldest);
        }
        let holds = oldest.is_some();
        if holds != self.is_holding() {
            self.holds.write(holds.into());
            // Pairs with the timer's: either it sees that something is held, or it is seen not to run any more.
            smp_mb();
        }
        let start = holds && self.ticking.read() == 0;
        if start {
            self.ticking.write(1);
            self.quiet_ticks.write(0);
        }
        start
    }

    /// A tick has ended. Hard interrupt.
    ///
    /// A CPU that others keep busy, or take away, sees one tick late, and not several at once: whoever is to send has
    /// as long to do so as the timer has to count.
    fn tick(&self, instance: &Instance<Channel>) {
        let now = self.ticks.read().wrapping_add(1);
        self.ticks.write(now);
        let quiet = match self.stirred.read() {
            0 => self.quiet_ticks.read().wrapping_add(1),
            _ => 0,
        };
        self.stirred.write(0);
        self.quiet_ticks.write(quiet);
        if quiet >= QUIET_TICKS {
            // The poll starts it again if need be.
            self.ticking.write(0);
            self.quiet.write(1);
            Self::raise_now(instance);
            return;
        }
        if !self.is_holding() {
            self.ticking.write(0);
            // Pairs with the poll's.
            smp_mb();
            if !self.is_holding() {
                return;
            }
            self.ticking.write(1);
        }
        if Self::is_over(now, self.oldest.read()) {
            Self::raise_now(instance);
        }
        instance.start_timer(Timer::Aggregation, HOLD_TICK_NS, HOLD_TICK_NS / 8);
    }

    /// Frames were delivered. Under the inlet's lock.
    #[inline]
    pub(crate) fn raise_rx(instance: &Instance<Channel>, frames: u32) {
        let v = instance.shared();
        v.frames.add(frames);
        match v.state.xchg(PENDING) {
            IDLE => v.moderate(instance),
            // That was not to be taken back.
            URGENT => Self::raise_now(instance),
            _ => {
                if v.held.read() != 0 && v.frames.read() >= v.rx_frames.read() {
                    v.release(instance);
                }
            }
        }
    }

    /// Packets were sent and can be freed. Under the outlet's lock. `held`: the queue waits for it.
    #[inline]
    pub(crate) fn raise_tx(
        instance: &Instance<Channel>,
        packets: u32,
        bytes: &mut u32,
        held: bool,
    ) {
        let v = instance.shared();
        let usecs = v.tx_usecs.read();
        if held || usecs == 0 || packets >= v.tx_frames.read() || *bytes >= COMPLETION_BYTES {
            *bytes = 0;
            Self::raise_now(instance);
        } else if v.completion_armed.read() == 0 && v.completion_armed.xchg(1) == 0 {
            let ns = u64::from(usecs).wrapping_mul(1000);
            instance.start_timer(Timer::Completion, ns, ns / 4);
        }
    }

    /// The outlet has waited since `since`, in nanoseconds: it is looked at again when that has lasted for `limit`.
    /// Under the outlet's lock.
    ///
    /// A timer that runs is left alone, as one is started anew at most once in `limit` then: it fires no later than it
    /// should, and where it was too early the look that it causes leads here again. The caller has marked the outlet as
    /// waiting, which that look goes by.
    #[inline]
    pub(crate) fn watch_pause(instance: &Instance<Channel>, since: u64, limit: u64) {
        let v = instance.shared();
        // A full barrier, as is what the timer does with it: it is found to run, and finds the mark, or is started
        // here.
        if v.pause_armed.xchg(1) == 0 {
            let left = limit.saturating_sub(now_ns().saturating_sub(since));
            // Where the pause does not end by the limit, as the receiver is exchanging its rings, the looks are not too
            // many.
            instance.start_timer(Timer::Pause, left.max(PAUSE_LOOK_NS), limit / 10);
        }
    }

    /// Raises without moderation. Any context. Where the core puts off polling, on its own account, this only leaves a
    /// mark: who needs a poll whatever happens calls [`restart`](Self::restart).
    #[inline]
    pub(crate) fn raise_now(instance: &Instance<Channel>) {
        let v = instance.shared();
        if v.state.xchg(URGENT) == IDLE {
            v.fire(instance, now_ns());
        } else {
            v.release(instance);
        }
    }

    /// A timer has fired. Hard interrupt.
    pub(crate) fn timer(instance: &Instance<Channel>, which: Timer) {
        let v = instance.shared();
        match which {
            Timer::Moderation => v.release(instance),
            Timer::Completion => {
                v.completion_armed.xchg(0);
                Self::raise_now(instance);
            }
            Timer::Pause => {
                // If the outlet still waits, whoever finds that arms it anew.
                v.pause_armed.xchg(0);
                // Putting off polls is not to make a pause longer.
                Self::restart(instance);
            }
            Timer::Retry => Self::raise_now(instance),
            Timer::Aggregation => v.tick(instance),
        }
    }

    /// Schedules a raise that was held back.
    #[inline]
    fn release(&self, instance: &Instance<Channel>) {
        if self.held.read() != 0 && self.held.xchg(0) != 0 {
            self.fire(instance, now_ns());
        }
    }

    /// Fires now, or later if the last time is too near. The caller took the state out of Idle.
    #[inline]
    fn moderate(&self, instance: &Instance<Channel>) {
        let now = now_ns();
        let mut gap = u64::from(self.rx_usecs.read()).wrapping_mul(1000);
        if self.last_frames.read() <= QUIET_FRAMES {
            gap >>= QUIET_SHIFT;
        }
        let since = now.wrapping_sub(self.last.read());
        if since >= gap || self.frames.read() >= self.rx_frames.read() {
            self.fire(instance, now);
        } else {
            // A full barrier, as is the exchange of the state: either who raises the vector at once sees that it is
            // held, or that it is urgent is seen here.
            self.held.xchg(1);
            instance.start_timer(Timer::Moderation, gap.wrapping_sub(since), 0);
            if self.state.read() == URGENT {
                self.release(instance);
            }
        }
    }

    /// Schedules the NAPI instance. The caller took the state out of Idle, or took `held`.
    #[inline]
    fn fire(&self, instance: &Instance<Channel>, now: u64) {
        self.last.write(now);
        self.last_frames.write(self.frames.read());
        self.frames.write(0);
        if let Some(c) = self.counters.get(usize::from(self.index)) {
            c.raises.inc();
        }
        instance.schedule();
    }
}
