// SPDX-License-Identifier: GPL-2.0

//! NAPI.
//!
//! C header: [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h)
//!
//! An instance has two parts of state. [`Handler`] itself is what the poll owns: at any time either the poll
//! has it (`&mut self` in [`Handler::poll`]), or, while the instance is disabled, its [`Owner`] does. What others
//! may reach at the same time is [`Handler::Shared`].
//!
//! ```text
//!   Owner::add --> disabled --- enable ---> enabled: the core calls poll
//!                     ^  |                     |
//!                     |  +-- Owner::handler    |
//!                     +------- disable --------+
//!                     |
//!                     +-- remove_all: deleted, grace period, handlers come back
//! ```
//!
//! Each instance has timers of its own ([`Instance::start_timer`]), for interrupts that come later: they are
//! cancelled when it is removed.
//!
//! An [`Instance`] may be scheduled by anyone who has a reference. It can be scheduled in every state: a disabled
//! or removed one stays as it is, for it keeps the bit that scheduling would have to win.

use crate::context::Bh;
use crate::device::{Device, Driver, Locked};
use crate::page_pool::Buffer;
use crate::skb::{OwnedSkb, Reason, RxSkb, SkBuff};
use crate::txq::Queue;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem::offset_of;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::prelude::*;
use kernel::sync::{Arc, Mutex};
use kernel::types::Opaque;
use netdev_sys as bindings;

/// What a poll did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// All there was: this many frames, fewer than the budget. Completions alone count as 1, or the core takes
    /// the device for one that never had work and arms no deferral.
    Done(u32),
    /// The budget is used up; there may be more.
    More,
}

/// The timers of an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timer {
    /// For an interrupt that is held back.
    Moderation,
    /// For completions that may come late.
    Completion,
    /// For what has to be tried again.
    Retry,
    /// For what has waited long enough.
    Pause,
    /// For packets that wait to be merged with others.
    Aggregation,
}

/// Number of [`Timer`]s.
const TIMERS: usize = 5;

/// A driver's side of an instance.
pub trait Handler: Send + Sized + 'static {
    /// The driver of the device that is polled.
    type Driver: Driver;

    /// What others than the poll may reach.
    type Shared: Send + Sync;

    /// Does up to `poll.budget()` frames of work. Softirq, or a kernel thread with softirqs off.
    fn poll(&mut self, shared: &Self::Shared, poll: &Poll<'_, Self>) -> Progress;

    /// Completes transmissions, nothing else: netpoll polls with budget 0, perhaps in a hard interrupt. Page pools
    /// may not be touched, nothing received.
    fn poll_tx(&mut self, shared: &Self::Shared, poll: &TxPoll<'_>);

    /// A timer has fired. Hard interrupt.
    fn timer(instance: &Instance<Self>, which: Timer);

    /// The instance has been completed and may be scheduled again: interrupts may be unmasked now.
    ///
    /// Not called if the core goes on polling by itself (busy polling, deferral, an event in between). The handler
    /// may be running again already, on another CPU; so it is not passed.
    fn completed(instance: &Instance<Self>, bh: &Bh<'_>);

    /// The instance is disabled and goes. A grace period follows: this is the place to part what others may have
    /// reached it by, as page pools ([`PagePool::part`](crate::page_pool::PagePool::part)). Process context.
    fn part(&mut self) {}
}

/// A NAPI instance (`struct napi_struct`).
#[pin_data(PinnedDrop)]
#[repr(C)]
pub struct Instance<H: Handler> {
    #[pin]
    raw: Opaque<bindings::napi_struct>,
    #[pin]
    timers: Opaque<[bindings::hrtimer; TIMERS]>,
    // Owned by the poll while the instance is enabled, by `Owner` while it is not. `None` before the driver has
    // put it in and after `remove_all`.
    handler: UnsafeCell<Option<H>>,
    #[pin]
    gate: Gate,
    shared: H::Shared,
}

/// Whether an instance is enabled, and what may only be done while it is not.
#[pin_data]
pub(crate) struct Gate {
    enabled: AtomicBool,
    /// Held by who sets `enabled`, and by who needs it not to be set.
    #[pin]
    lock: Mutex<()>,
}

impl Gate {
    fn new() -> impl PinInit<Self> {
        pin_init!(Gate {
            enabled: AtomicBool::new(false),
            lock <- kernel::new_mutex!((), "netdev_napi_gate"),
        })
    }

    fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Acquire)
    }

    /// Calls `f` unless the instance is enabled, which it doesn't become meanwhile. Returns whether it has. Sleeps, but
    /// not while it is enabled.
    pub(crate) fn unless_enabled(&self, f: impl FnOnce()) -> bool {
        if self.is_enabled() {
            return false;
        }
        let guard = self.lock.lock();
        let disabled = !self.is_enabled();
        if disabled {
            f();
        }
        drop(guard);
        disabled
    }
}

// SAFETY: `raw` is changed by C functions that synchronise, `handler` reached by one context at a time (see the
// field), `shared` is Sync.
unsafe impl<H: Handler> Sync for Instance<H> {}
// SAFETY: All parts are Send; the instance is pinned in an Arc.
unsafe impl<H: Handler> Send for Instance<H> {}

const TIMER_MODE: bindings::hrtimer_mode = bindings::hrtimer_mode_HRTIMER_MODE_REL_PINNED_HARD;

#[pinned_drop]
impl<H: Handler> PinnedDrop for Instance<H> {
    fn drop(self: Pin<&mut Self>) {
        // Whoever still had a reference may have started one after the removal.
        self.cancel_timers();
    }
}

impl<H: Handler> Instance<H> {
    pub(crate) fn as_raw(&self) -> *mut bindings::napi_struct {
        self.raw.get()
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// What others than the poll may reach.
    #[inline(always)]
    pub fn shared(&self) -> &H::Shared {
        &self.shared
    }

    /// Schedules the poll (`napi_schedule`); no-op while it is scheduled or disabled. Any context, hard interrupts
    /// included; in process context softirqs should be off, or the poll waits for the next interrupt.
    #[inline]
    pub fn schedule(&self) {
        // SAFETY: Initialised by `Owner::add`. A removed instance keeps NAPI_STATE_SCHED, so nothing happens.
        unsafe { bindings::napi_schedule(self.raw.get()) };
    }

    #[inline(always)]
    fn timer(&self, which: usize) -> *mut bindings::hrtimer {
        // `which` is below TIMERS in all calls.
        self.timers
            .get()
            .cast::<bindings::hrtimer>()
            .wrapping_add(which)
    }

    /// Starts a timer, or moves it if it runs: [`Handler::timer`] is called after `ns`, or up to `slack` later, on
    /// this CPU. Any context.
    #[inline]
    pub fn start_timer(&self, which: Timer, ns: u64, slack: u64) {
        // SAFETY: Set up by `Owner::add`.
        unsafe {
            bindings::netdev_hrtimer_start(self.timer(which as usize), ns, slack, TIMER_MODE)
        };
    }

    /// Stops a timer unless its handler runs. Any context.
    #[inline]
    pub fn try_cancel_timer(&self, which: Timer) {
        // SAFETY: Set up by `Owner::add`.
        unsafe { bindings::hrtimer_try_to_cancel(self.timer(which as usize)) };
    }

    fn cancel_timers(&self) {
        for i in 0..TIMERS {
            // SAFETY: Set up by `Owner::add`.
            unsafe { bindings::hrtimer_cancel(self.timer(i)) };
        }
    }

    /// # Safety
    ///
    /// `timer` is the timer `which` of an instance, and has expired.
    unsafe fn timer_callback(
        timer: *mut bindings::hrtimer,
        which: Timer,
    ) -> bindings::hrtimer_restart {
        let this = timer
            .wrapping_sub(which as usize)
            .cast::<u8>()
            .wrapping_sub(offset_of!(Self, timers))
            .cast::<Self>();
        // SAFETY: The core calls back with a timer that `Owner::add` set up in an instance, which cancels its timers
        // and waits for them before it goes.
        H::timer(unsafe { &*this }, which);
        bindings::hrtimer_restart::HRTIMER_NORESTART
    }

    /// # Safety
    ///
    /// `t` is the timer [`Timer::Moderation`] of an instance, and has expired.
    unsafe extern "C" fn moderation_callback(
        t: *mut bindings::hrtimer,
    ) -> bindings::hrtimer_restart {
        // SAFETY: The callback of that timer.
        unsafe { Self::timer_callback(t, Timer::Moderation) }
    }

    /// # Safety
    ///
    /// `t` is the timer [`Timer::Completion`] of an instance, and has expired.
    unsafe extern "C" fn completion_callback(
        t: *mut bindings::hrtimer,
    ) -> bindings::hrtimer_restart {
        // SAFETY: The callback of that timer.
        unsafe { Self::timer_callback(t, Timer::Completion) }
    }

    /// # Safety
    ///
    /// `t` is the timer [`Timer::Retry`] of an instance, and has expired.
    unsafe extern "C" fn retry_callback(t: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
        // SAFETY: The callback of that timer.
        unsafe { Self::timer_callback(t, Timer::Retry) }
    }

    /// # Safety
    ///
    /// `t` is the timer [`Timer::Pause`] of an instance, and has expired.
    unsafe extern "C" fn pause_callback(t: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
        // SAFETY: The callback of that timer.
        unsafe { Self::timer_callback(t, Timer::Pause) }
    }

    /// # Safety
    ///
    /// `t` is the timer [`Timer::Aggregation`] of an instance, and has expired.
    unsafe extern "C" fn aggregation_callback(
        t: *mut bindings::hrtimer,
    ) -> bindings::hrtimer_restart {
        // SAFETY: The callback of that timer.
        unsafe { Self::timer_callback(t, Timer::Aggregation) }
    }

    /// Number of the instance in the netdev netlink family; 0 while it is disabled.
    pub fn id(&self) -> u32 {
        // SAFETY: A plain integer that is written under the device's instance lock; a stale one is harmless.
        unsafe { (&raw const (*self.raw.get()).napi_id).read_volatile() }
    }

    /// # Safety
    ///
    /// The core's call of `poll`, for the instance `napi` that [`Owner::add`] made.
    unsafe extern "C" fn poll_callback(napi: *mut bindings::napi_struct, budget: c_int) -> c_int {
        let this = napi
            .cast::<u8>()
            .wrapping_sub(offset_of!(Self, raw))
            .cast::<Self>();
        // SAFETY: The core calls back with the instance that `Owner::add` made; it is alive until `remove_all` has
        // disabled it.
        let this = unsafe { &*this };
        // SAFETY: The core calls poll with softirqs off, by one CPU at a time, and never while the instance is
        // disabled: so the poll owns the handler.
        let Some(handler) = (unsafe { (*this.handler.get()).as_mut() }) else {
            if budget > 0 {
                // There is nothing to do; without this the instance would stay scheduled for ever.
                // SAFETY: The instance is being polled and the budget was not used.
                unsafe { bindings::napi_complete_done(this.raw.get(), 0) };
            }
            return 0;
        };
        let tx = TxPoll {
            napi: this.raw.get(),
            budget,
            _bh: PhantomData,
        };
        if budget <= 0 {
            handler.poll_tx(&this.shared, &tx);
            return 0;
        }
        let poll = Poll::<H> {
            _handler: PhantomData,
            timers: this.timers.get().cast(),
            tx,
            // SAFETY: As above: softirqs are off throughout.
            bh: unsafe { Bh::assume() },
        };
        match handler.poll(&this.shared, &poll) {
            Progress::More => budget,
            Progress::Done(n) => {
                let n = (n as c_int).clamp(0, budget.wrapping_sub(1));
                // SAFETY: The instance is being polled and less than the budget was used.
                if unsafe { bindings::napi_complete_done(this.raw.get(), n) } {
                    // The handler may be in use elsewhere from here on. The instance itself stays: its removal waits
                    // for a grace period, which this softirq holds up.
                    H::completed(this, poll.bh());
                }
                n
            }
        }
    }
}

/// The part of a poll that netpoll may do as well.
pub struct TxPoll<'a> {
    napi: *mut bindings::napi_struct,
    budget: c_int,
    _bh: PhantomData<&'a ()>,
}

impl TxPoll<'_> {
    /// Frees a transmitted packet (`napi_consume_skb`), in bulk where the context allows it.
    #[inline]
    pub fn consume(&self, skb: SkBuff) {
        // SAFETY: The reference is given away; the budget is that of the running poll.
        unsafe { bindings::napi_consume_skb(skb.into_raw(), self.budget) };
    }

    /// Transmit queue `index` of the polled device.
    #[inline]
    pub fn tx_queue(&self, index: u16) -> Option<Queue<'_>> {
        // SAFETY: The instance belongs to a device that is alive while it is polled.
        let dev = unsafe { (*self.napi).dev };
        // SAFETY: As above; the number of queues is fixed.
        if u32::from(index) >= unsafe { (*dev).num_tx_queues } {
            return None;
        }
        // SAFETY: The queue exists, as just seen, and lives as long as the device.
        unsafe {
            let q = bindings::netdev_get_tx_queue(dev, u32::from(index));
            Some(Queue::from_raw(NonNull::new(q)?))
        }
    }
}

/// A running poll.
///
/// A value of this type exists only in [`Handler::poll`]; it cannot be kept:
///
/// ```compile_fail
/// fn poll(&mut self, _: &Shared, poll: &Poll<'_, Self>) -> Progress {
///     self.kept = Some(poll);
///     Progress::Done(0)
/// }
/// ```
pub struct Poll<'a, H: Handler> {
    _handler: PhantomData<H>,
    tx: TxPoll<'a>,
    timers: *mut bindings::hrtimer,
    bh: Bh<'a>,
}

impl<'a, H: Handler> Poll<'a, H> {
    /// Frames that may be received.
    #[inline]
    pub fn budget(&self) -> u32 {
        self.tx.budget as u32
    }

    /// The instance that is polled.
    #[inline(always)]
    pub(crate) fn napi(&self) -> *mut bindings::napi_struct {
        self.tx.napi
    }

    /// Softirqs are off.
    #[inline]
    pub fn bh(&self) -> &Bh<'a> {
        &self.bh
    }

    /// The device that is polled.
    #[inline]
    pub fn device(&self) -> &Device<H::Driver> {
        // SAFETY: `Owner::add` added the instance to a device of this driver, which is alive while it is polled.
        unsafe { Device::from_raw((*self.tx.napi).dev) }
    }

    /// The transmit part.
    #[inline]
    pub fn tx(&self) -> &TxPoll<'a> {
        &self.tx
    }

    /// Starts a timer of the polled instance; see [`Instance::start_timer`].
    #[inline]
    pub fn start_timer(&self, which: Timer, ns: u64, slack: u64) {
        // SAFETY: The timers of the instance that is being polled, of which `which` is one.
        unsafe {
            bindings::netdev_hrtimer_start(self.timers.add(which as usize), ns, slack, TIMER_MODE)
        };
    }

    /// Allocates a packet with `len` bytes of room, headroom aside (`napi_alloc_skb`).
    #[inline]
    pub fn alloc_skb(&self, len: u32) -> Option<RxSkb> {
        // SAFETY: This is the poll of `napi`.
        let skb = unsafe { bindings::napi_alloc_skb(self.tx.napi, len) };
        // SAFETY: A fresh packet, owned, and nobody else's.
        NonNull::new(skb).map(|s| unsafe { RxSkb::new(SkBuff::from_raw(s)) })
    }

    /// Makes a packet around a buffer, without a copy (`napi_build_skb`): `len` bytes from `headroom` on.
    ///
    /// # Errors
    ///
    /// Gives the buffer back if it has no room for the shared info behind the data, or no memory is left.
    #[inline]
    pub fn build_skb(
        &self,
        buffer: Buffer,
        headroom: u32,
        len: u32,
    ) -> core::result::Result<RxSkb, Buffer> {
        let size = buffer.len();
        let tail = SkBuff::SHARED_INFO;
        if headroom
            .checked_add(len)
            .and_then(|n| n.checked_add(tail))
            .is_none_or(|n| n > size)
        {
            return Err(buffer);
        }
        let va = buffer.into_raw();
        // SAFETY: The buffer is `size` bytes of a page, large enough for data and shared info; it is given away, and
        // marked so that the page goes back to its pool.
        unsafe {
            let skb = bindings::netdev_build_skb(va.as_ptr().cast(), size, headroom, len);
            match NonNull::new(skb) {
                Some(skb) => Ok(RxSkb::new(SkBuff::from_raw(skb))),
                None => Err(Buffer::from_raw(va, size)),
            }
        }
    }

    /// Gives it a protocol, and takes off its Ethernet header. A packet that has none in its linear part is dropped, or
    /// taking it off would be a bug to the core.
    #[inline]
    fn prepare(&self, skb: SkBuff) -> Option<*mut bindings::sk_buff> {
        if skb.linear().len() < bindings::ETH_HLEN as usize {
            skb.drop_with(Reason::TOO_SMALL);
            return None;
        }
        let raw = skb.into_raw();
        // SAFETY: The packet is the driver's alone, starts with an Ethernet header, as just seen, and goes to the
        // device polled.
        unsafe {
            (*raw).__bindgen_anon_4.__bindgen_anon_1.as_mut().protocol =
                bindings::eth_type_trans(raw, (*self.tx.napi).dev)
        };
        Some(raw)
    }

    /// Passes a received frame to GRO (`napi_gro_receive`), from its Ethernet header on. Returns whether it was merged
    /// into one received before. A packet whose Ethernet header is not in the linear part is dropped.
    #[inline]
    pub fn gro_receive(&self, skb: RxSkb) -> bool {
        let Some(raw) = self.prepare(skb.into_inner()) else {
            return false;
        };
        // SAFETY: This is the poll of `napi`; the reference is given away.
        unsafe { bindings::netdev_gro_receive(self.tx.napi, raw) }
    }

    /// Whether GRO holds nothing, and would keep nothing beyond this poll: to a packet that comes alone it is of no
    /// use.
    #[inline]
    pub fn gro_is_idle(&self) -> bool {
        // SAFETY: This is the poll of `napi`, whose GRO lists only it touches; the time-out is one word.
        unsafe { bindings::netdev_gro_is_idle(self.tx.napi) }
    }

    /// Passes a received frame to the stack past GRO (`netif_receive_skb`), from its Ethernet header on. Its socket
    /// learns of the instance (`skb_mark_napi_id`). A packet whose Ethernet header is not in the linear part is
    /// dropped.
    #[inline]
    pub fn receive(&self, skb: OwnedSkb) {
        let Some(raw) = self.prepare(skb.into_skb()) else {
            return;
        };
        // SAFETY: This is the poll of `napi`, softirqs are off; the reference is given away.
        unsafe { bindings::netdev_receive(self.tx.napi, raw) };
    }
}

impl SkBuff {
    /// How many page fragments a packet has room for (`MAX_SKB_FRAGS`).
    pub const FRAGS_MAX: u32 = bindings::MAX_SKB_FRAGS;

    /// Bytes that the shared info takes behind the data of a packet.
    pub const SHARED_INFO: u32 = {
        let line = bindings::SMP_CACHE_BYTES as usize;
        let n = size_of::<bindings::skb_shared_info>();
        ((n + line - 1) & !(line - 1)) as u32
    };
}

/// The one who made an instance, and who enables, disables and removes it. It has a reference to the device until then.
///
/// An instance has to go by [`remove_all`], under the instance lock of its device. One that is merely dropped is left
/// to itself: instance and device stay for ever, since the core still knows the one and the poll uses the other.
/// Methods that get the lock of another device do nothing but complain.
pub struct Owner<H: Handler> {
    instance: Arc<Instance<H>>,
    listed: bool,
}

impl<H: Handler> Owner<H> {
    /// Adds an instance to the device (`netif_napi_add_config_locked`): disabled, and without a handler yet.
    ///
    /// Number `index` says which persistent configuration is its own. There are as many as the device has queues.
    pub fn add(dev: &mut Locked<'_, H::Driver>, index: u32, shared: H::Shared) -> Result<Self> {
        if index >= dev.num_tx_queues().max(dev.num_rx_queues()) {
            return Err(EINVAL);
        }
        let instance = Arc::pin_init(
            pin_init!(Instance {
                // SAFETY: All zeros is how the core wants a new instance.
                raw: Opaque::zeroed(),
                timers <- Opaque::ffi_init(|slot: *mut [bindings::hrtimer; TIMERS]| {
                    let callbacks: [unsafe extern "C" fn(*mut bindings::hrtimer) -> bindings::hrtimer_restart; TIMERS] = [
                        Instance::<H>::moderation_callback,
                        Instance::<H>::completion_callback,
                        Instance::<H>::retry_callback,
                        Instance::<H>::pause_callback,
                        Instance::<H>::aggregation_callback,
                    ];
                    for (i, callback) in callbacks.into_iter().enumerate() {
                        // SAFETY: Within the array, which is valid for writing; each timer has its own callback.
                        unsafe {
                            bindings::hrtimer_setup(
                                slot.cast::<bindings::hrtimer>().add(i),
                                Some(callback),
                                bindings::CLOCK_MONOTONIC as i32,
                                TIMER_MODE,
                            )
                        };
                    }
                }),
                handler: UnsafeCell::new(None),
                gate <- Gate::new(),
                shared,
            }),
            GFP_KERNEL_ACCOUNT,
        )?;
        // SAFETY: The instance lock is held; the instance is zeroed and stays where it is; the index is within the
        // device's array of configurations.
        unsafe {
            bindings::netif_napi_add_config_locked(
                dev.as_raw(),
                instance.raw.get(),
                Some(Instance::<H>::poll_callback),
                index as c_int,
            )
        };
        // SAFETY: The device is registered. Given up by `remove_all`.
        unsafe { bindings::dev_hold(dev.as_raw()) };
        Ok(Owner {
            instance,
            listed: true,
        })
    }

    /// The instance, to be shared.
    pub fn instance(&self) -> &Arc<Instance<H>> {
        &self.instance
    }

    /// The handler, while the instance is disabled.
    pub fn handler(&mut self) -> Option<&mut Option<H>> {
        if self.instance.gate.is_enabled() {
            return None;
        }
        // SAFETY: Disabled, so no poll runs, and `&mut self` is the only owner, who alone enables it.
        Some(unsafe { &mut *self.instance.handler.get() })
    }

    /// Whether it has been added to this device, and not removed.
    pub(crate) fn is_listed(&self, dev: &Device<H::Driver>) -> bool {
        // SAFETY: Written once, by `add`.
        let own = unsafe { (*self.instance.raw.get()).dev };
        let same = own == dev.as_raw();
        if !same {
            pr_err!("{}: a NAPI instance of another device\n", dev.name());
        }
        same && self.listed
    }

    /// Lets the core poll (`napi_enable_locked`). No-op if it does already.
    pub fn enable(&mut self, dev: &mut Locked<'_, H::Driver>) {
        let gate = &self.instance.gate;
        if !gate.is_enabled() && self.is_listed(dev) {
            // Whoever destroys a pool that is linked to it comes before.
            let guard = gate.lock.lock();
            gate.enabled.store(true, Ordering::Release);
            drop(guard);
            // SAFETY: Added and disabled; the instance lock is held.
            unsafe { bindings::napi_enable_locked(self.instance.raw.get()) };
        }
    }

    /// Waits for a running poll and keeps the core from polling again (`napi_disable_locked`). No-op if it is
    /// disabled. Sleeps.
    pub fn disable(&mut self, dev: &mut Locked<'_, H::Driver>) {
        let gate = &self.instance.gate;
        if gate.is_enabled() && self.is_listed(dev) {
            // SAFETY: Enabled; the instance lock is held.
            unsafe { bindings::napi_disable_locked(self.instance.raw.get()) };
            gate.enabled.store(false, Ordering::Release);
        }
    }
}

impl<H: Handler> Drop for Owner<H> {
    fn drop(&mut self) {
        if self.listed {
            pr_err!("a NAPI instance was not removed from its device\n");
            // The core still has it in its lists, and may poll it: neither it nor its device, to which there is a
            // reference, can ever be freed.
            core::mem::forget(self.instance.clone());
        }
    }
}

/// Disables and removes instances, and unbinds queues that are bound to them; after one grace period for all of them
/// each handler is handed to `each`.
///
/// Sleeps. On return nothing of the core refers to the instances any more. Instances of another device are left alone.
pub fn remove_all<H: Handler>(
    dev: &mut Locked<'_, H::Driver>,
    owners: &mut [Owner<H>],
    mut each: impl FnMut(usize, H),
) {
    for owner in owners.iter_mut() {
        owner.disable(dev);
    }
    for owner in owners.iter_mut() {
        if !owner.is_listed(dev) {
            continue;
        }
        dev.unbind_napi(owner.instance.raw.get());
        // SAFETY: Disabled; the instance lock is held.
        unsafe { bindings::__netif_napi_del_locked(owner.instance.raw.get()) };
        owner.listed = false;
        // SAFETY: The reference of `Owner::add`.
        unsafe { bindings::dev_put(dev.as_raw()) };
        owner.instance.cancel_timers();
        if let Some(handler) = owner.handler().and_then(Option::as_mut) {
            handler.part();
        }
    }
    // Busy pollers may still look at an instance they found by its number.
    crate::context::synchronize_net();
    for (i, owner) in owners.iter_mut().enumerate() {
        if owner.listed {
            continue;
        }
        if let Some(handler) = owner.handler().and_then(Option::take) {
            each(i, handler);
        }
    }
}
