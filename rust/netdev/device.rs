// SPDX-License-Identifier: GPL-2.0

//! Network devices.
//!
//! C header: [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h)
//!
//! A driver is a type that implements [`Driver`]. Its devices are made by rtnetlink (see [`crate::rtnl`]) and come
//! to life in [`Unregistered::register`]; from then on callbacks get a [`Device`].
//!
//! # Data of a device, and what protects it
//!
//! | associated type | reached by | protected by |
//! |---|---|---|
//! | [`Driver::Data`] | every callback, shared | itself (`Sync`) |
//! | [`Driver::State`] | [`Locked::state`] | the device's instance lock |
//! | [`Driver::TxState`] | [`Driver::start_xmit`], [`Device::lock_tx`] | the lock of its transmit queue |
//!
//! All lie in the allocation of the device or hang on it, and are dropped when the core frees the device: by
//! `priv_destructor`, when no callback can run any more and all references are gone.
//!
//! # Registration and its failures
//!
//! `register_netdevice()` can fail in three ways: before or in `ndo_init` (then neither `ndo_uninit` nor
//! `priv_destructor` is called), after it (both are called at once), or in the notifiers (both are called later,
//! when RTNL is dropped). `Private::live` says whether the data is there; the destructor takes it, and the error
//! path of [`Unregistered::register`] does so only if the core never knew the device.

mod adapter;
mod pair;
mod setup;

pub(crate) use adapter::{private_size, setup};
pub use setup::Setup;

use crate::context::Bh;
use crate::errno::to_result;
use crate::features::Features;
use crate::rtnl::{Net, Rtnl};
use crate::skb::SkBuff;
use crate::txq::{Queue, TxQueue};
use crate::{ethtool, queue_stats};
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::AtomicPtr;
use kernel::error::VTABLE_DEFAULT_ERROR;
use kernel::fmt;
use kernel::prelude::*;
use kernel::types::Opaque;
use netdev_sys as bindings;

/// Length of an Ethernet address.
pub const ETH_ALEN: usize = bindings::ETH_ALEN as usize;

/// An Ethernet address.
pub type MacAddress = [u8; ETH_ALEN];

/// The name of a device at some time.
#[derive(Clone, Copy)]
pub struct Name([u8; bindings::IFNAMSIZ as usize]);

impl Deref for Name {
    type Target = CStr;
    fn deref(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// Copies bytes that others may write meanwhile: each is what it was at some time.
///
/// # Safety
///
/// `from` points to `N` bytes.
unsafe fn copy_bytes<const N: usize>(from: *const u8) -> [u8; N] {
    // SAFETY: Within the bytes, by the caller's promise.
    core::array::from_fn(|i| unsafe { from.add(i).read_volatile() })
}

/// What [`Driver::get_stats`] reports (`struct rtnl_link_stats64`): frames, and bytes without the frame check
/// sequence.
#[derive(Default, Clone, Copy)]
pub struct LinkStats {
    /// Frames received and passed on.
    pub rx_packets: u64,
    /// Frames transmitted.
    pub tx_packets: u64,
    /// Bytes received, from the Ethernet header on.
    pub rx_bytes: u64,
    /// Bytes transmitted, from the Ethernet header on.
    pub tx_bytes: u64,
    /// Good frames that the device received and did not pass on.
    pub rx_dropped: u64,
    /// Frames that the device dropped on their way out.
    pub tx_dropped: u64,
    /// Multicast frames received.
    pub multicast: u64,
    /// Frames received in error, all kinds.
    pub rx_errors: u64,
    /// Frames longer than the device takes.
    pub rx_length_errors: u64,
    /// Frames for which there was no buffer.
    pub rx_missed_errors: u64,
    /// Transmit errors, all kinds.
    pub tx_errors: u64,
    /// Frames lost for want of a carrier.
    pub tx_carrier_errors: u64,
    /// Frames aborted in the device.
    pub tx_aborted_errors: u64,
}

/// A driver: its data, and the operations of its devices (`struct net_device_ops`).
///
/// The contexts are those of Documentation/networking/netdevices.rst for a device that asked for the instance lock.
#[vtable]
pub trait Driver: Sized + Send + Sync + 'static {
    /// What every callback may reach.
    type Data: Send + Sync;
    /// What the instance lock protects.
    type State: Send;
    /// One for each transmit queue, protected by that queue's lock.
    type TxState: Default + Send;
    /// The `ethtool` operations; each of them is optional.
    type Ethtool: ethtool::Operations<Driver = Self>;
    /// The statistics of single queues; each of its operations is optional.
    type QueueStats: queue_stats::Operations<Driver = Self>;

    /// Sets what is the same for all devices. The device is not registered yet.
    fn setup(dev: &mut Setup<'_, Self>);

    /// Brings the device up (`ndo_open`). RTNL and instance lock; may sleep.
    fn open(dev: &mut Locked<'_, Self>, rtnl: &Rtnl) -> Result;

    /// Takes it down (`ndo_stop`). RTNL and instance lock; may sleep. Cannot fail.
    fn stop(dev: &mut Locked<'_, Self>, rtnl: &Rtnl);

    /// Sends a packet (`ndo_start_xmit`). Softirqs off, the queue's lock held; perhaps with interrupts off.
    ///
    /// # Errors
    ///
    /// Giving the packet back is `NETDEV_TX_BUSY`: it stays with the stack, which sends it again. A driver
    /// that stops its queues in time never does. Another packet than the one given is dropped.
    fn start_xmit(
        dev: &Device<Self>,
        state: &mut Self::TxState,
        queue: TxQueue<'_>,
        bh: &Bh<'_>,
        skb: SkBuff,
    ) -> core::result::Result<(), SkBuff>;

    /// Reports statistics (`ndo_get_stats64`). Process context, with RTNL or under RCU: may not sleep.
    fn get_stats(dev: &Device<Self>, stats: &mut LinkStats);

    /// A transmit queue has not moved for the watchdog's time (`ndo_tx_timeout`). Softirq, queues frozen.
    fn tx_timeout(_dev: &Device<Self>, _queue: u32) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Changes the MTU (`ndo_change_mtu`), in bytes; limits are checked already. RTNL and instance lock. The core
    /// stores it if this succeeds.
    fn change_mtu(_dev: &mut Locked<'_, Self>, _rtnl: &Rtnl, _mtu: u32) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Changes the address (`ndo_set_mac_address`); it is a valid one. RTNL and instance lock. The core stores it if
    /// this succeeds.
    fn change_address(_dev: &mut Locked<'_, Self>, _address: MacAddress) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Sets the receive filter (`ndo_set_rx_mode_async`): snapshots of the secondary unicast and the multicast
    /// addresses. Instance lock; may sleep.
    fn set_rx_mode(
        _dev: &mut Locked<'_, Self>,
        _unicast: AddressList<'_>,
        _multicast: AddressList<'_>,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Takes out of `features` what cannot be on at once, or adds what must be (`ndo_fix_features`).
    fn fix_features(_dev: &mut Locked<'_, Self>, _features: Features) -> Features {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Switches features (`ndo_set_features`). RTNL and instance lock.
    fn set_features(_dev: &mut Locked<'_, Self>, _features: Features) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Takes out of `features` what the device cannot do for this packet (`ndo_features_check`): the stack does it
    /// instead. What is put in is ignored.
    ///
    /// May not sleep. The packet begins with its Ethernet header where it is about to be sent, and with its IP header
    /// where IP only asks. What the core takes out for a device without this operation, as for packets with several
    /// VLAN tags, is out already.
    fn features_check(_dev: &Device<Self>, _skb: &SkBuff, _features: Features) -> Features {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// What lies in the private part of a device.
#[repr(C)]
pub(crate) struct Private<D: Driver> {
    /// The device at the other end, if there is one; see [`pair`].
    peer: AtomicPtr<bindings::net_device>,
    /// Whether `body` is there. Set by `register`, before others know the device, and taken by the destructor, when
    /// nobody does any more.
    live: bool,
    /// See [`ethtool::Promised`]; under the instance lock.
    promised: ethtool::Promised,
    body: MaybeUninit<Body<D>>,
}

pub(crate) struct Body<D: Driver> {
    data: Pin<KBox<D::Data>>,
    state: UnsafeCell<D::State>,
    tx: KVVec<crate::sync::CacheAligned<UnsafeCell<D::TxState>>>,
}

/// A registered device, or one that is being registered or unregistered.
///
/// # Invariants
///
/// A reference to it is that to a `struct net_device` made for `D`, with its data alive.
#[repr(transparent)]
pub struct Device<D: Driver>(Opaque<bindings::net_device>, PhantomData<D>);

// SAFETY: What is shared is Sync, what is not is behind locks.
unsafe impl<D: Driver> Sync for Device<D> {}

impl<D: Driver> Device<D> {
    /// # Safety
    ///
    /// `dev` was made for `D`, its data is alive, and it lives for `'a`.
    #[inline(always)]
    pub(crate) unsafe fn from_raw<'a>(dev: *mut bindings::net_device) -> &'a Self {
        // SAFETY: By the caller's promise; the type is transparent.
        unsafe { &*dev.cast() }
    }

    #[inline(always)]
    pub(crate) fn as_raw(&self) -> *mut bindings::net_device {
        self.0.get()
    }

    #[inline(always)]
    fn private(&self) -> &Private<D> {
        // SAFETY: The private part is that of `D`, by the type invariant. `priv` is at the end of the structure.
        unsafe { &*(&raw const (*self.as_raw()).priv_).cast::<Private<D>>() }
    }

    #[inline(always)]
    fn body(&self) -> &Body<D> {
        // SAFETY: The data is alive by the type invariant.
        unsafe { self.private().body.assume_init_ref() }
    }

    /// The driver's data.
    #[inline(always)]
    pub fn data(&self) -> &D::Data {
        &self.body().data
    }

    /// The sizes that ethtool was told.
    pub(crate) fn promised(&self) -> &ethtool::Promised {
        &self.private().promised
    }

    /// Whether it is registered, and its unregistration has not begun. It stays so for as long as the instance lock is
    /// held; under RTNL alone, for as long as the caller doesn't unregister it himself. A [`Device`] can be reached
    /// beyond that, until RTNL is dropped.
    pub fn is_registered(&self) -> bool {
        // SAFETY: Valid by the type invariant.
        unsafe { Self::raw_is_registered(self.as_raw()) }
    }

    /// # Safety
    ///
    /// `dev` is valid.
    pub(crate) unsafe fn raw_is_registered(dev: *mut bindings::net_device) -> bool {
        // SAFETY: By the caller's promise.
        unsafe { bindings::netdev_reg_state(dev) == bindings::netdev_reg_state_NETREG_REGISTERED }
    }

    /// Number of the device in its namespace.
    pub fn ifindex(&self) -> i32 {
        // SAFETY: A plain integer.
        unsafe { (&raw const (*self.as_raw()).ifindex).read_volatile() }
    }

    /// Largest packet without the Ethernet header, in bytes.
    #[inline]
    pub fn mtu(&self) -> u32 {
        // SAFETY: A plain integer that is written with WRITE_ONCE().
        unsafe { (&raw const (*self.as_raw()).mtu).read_volatile() }
    }

    /// The features that are on.
    #[inline]
    pub fn features(&self) -> Features {
        // SAFETY: A plain integer.
        Features(unsafe { (&raw const (*self.as_raw()).features).read_volatile() })
    }

    /// Whether it is administratively up and opened.
    #[inline]
    pub fn is_running(&self) -> bool {
        // SAFETY: Valid by the type invariant.
        unsafe { bindings::netif_running(self.as_raw()) }
    }

    /// Transmit queues that were allocated: what can be in use at most.
    pub fn num_tx_queues(&self) -> u32 {
        // SAFETY: Constant after allocation.
        unsafe { (*self.as_raw()).num_tx_queues }
    }

    /// Receive queues that were allocated.
    pub fn num_rx_queues(&self) -> u32 {
        // SAFETY: Constant after allocation.
        unsafe { (*self.as_raw()).num_rx_queues }
    }

    /// Transmit queues in use.
    pub fn real_num_tx_queues(&self) -> u32 {
        // SAFETY: A plain integer.
        unsafe { (&raw const (*self.as_raw()).real_num_tx_queues).read_volatile() }
    }

    /// Receive queues in use.
    pub fn real_num_rx_queues(&self) -> u32 {
        // SAFETY: A plain integer.
        unsafe { (&raw const (*self.as_raw()).real_num_rx_queues).read_volatile() }
    }

    /// `IFF_*` flags.
    pub fn flags(&self) -> u32 {
        // SAFETY: A plain integer.
        unsafe { (&raw const (*self.as_raw()).flags).read_volatile() }
    }

    /// The name, for messages: a copy of what it is now. A rename may be seen half way.
    pub fn name(&self) -> Name {
        // SAFETY: Valid by the type invariant. CAST: `c_char` is a byte.
        Name(unsafe { copy_bytes((&raw const (*self.as_raw()).name).cast()) })
    }

    /// The primary address: a copy. Without the instance lock a change may be seen half way.
    pub fn address(&self) -> MacAddress {
        // SAFETY: `dev_addr` points to at least ETH_ALEN bytes of an Ethernet device.
        unsafe { copy_bytes((*self.as_raw()).dev_addr) }
    }

    /// Says that the other end is there (`netif_carrier_on`). Any context.
    pub fn carrier_on(&self) {
        // SAFETY: Valid by the type invariant.
        unsafe { bindings::netif_carrier_on(self.as_raw()) };
    }

    /// Says that the other end is gone (`netif_carrier_off`). Any context.
    pub fn carrier_off(&self) {
        // SAFETY: Valid by the type invariant.
        unsafe { bindings::netif_carrier_off(self.as_raw()) };
    }

    /// Whether there is a carrier.
    pub fn has_carrier(&self) -> bool {
        // SAFETY: Valid by the type invariant.
        unsafe { bindings::netif_carrier_ok(self.as_raw()) }
    }

    /// Transmit queue `index`.
    pub fn tx_queue(&self, index: u16) -> Option<Queue<'_>> {
        if u32::from(index) >= self.num_tx_queues() {
            return None;
        }
        // SAFETY: The queue exists, as just seen, and lives as long as the device.
        unsafe {
            let q = bindings::netdev_get_tx_queue(self.as_raw(), u32::from(index));
            Some(Queue::from_raw(NonNull::new(q)?))
        }
    }

    /// Takes the lock of transmit queue `index` and lets `f` work on what it protects. Process context.
    pub fn lock_tx<R>(
        &self,
        index: u16,
        f: impl FnOnce(&mut D::TxState, &mut TxQueue<'_>, &Bh<'_>) -> R,
    ) -> Option<R> {
        let queue = self.tx_queue(index)?;
        let cell = self.body().tx.get(usize::from(index))?;
        // SAFETY: The queue exists; softirqs get disabled with the lock.
        unsafe {
            let raw = bindings::netdev_get_tx_queue(self.as_raw(), u32::from(index));
            bindings::netif_tx_lock_queue_bh(raw);
            let mut txq = TxQueue::assume(queue, index);
            let r = f(&mut *cell.get(), &mut txq, &Bh::assume());
            bindings::netif_tx_unlock_queue_bh(raw);
            Some(r)
        }
    }

    /// Whether both devices are in the same namespace at the moment.
    pub fn shares_net_with(&self, other: &Device<D>) -> bool {
        // SAFETY: Both are valid; the namespaces are compared, not looked at.
        unsafe { bindings::netdev_shares_net(self.as_raw(), other.as_raw()) }
    }

    /// Lets `f` look at the namespace the device is in at the moment, under RCU: it may not sleep.
    pub fn with_net<R>(&self, f: impl FnOnce(&Net) -> R) -> R {
        let guard = kernel::sync::rcu::read_lock();
        // SAFETY: Under RCU the device's namespace does not go away.
        let r = f(unsafe { Net::from_raw(bindings::netdev_net_rcu(self.as_raw())) });
        drop(guard);
        r
    }

    /// The namespace the device is in, for as long as RTNL keeps it there.
    pub fn net<'a>(&self, _rtnl: &'a Rtnl) -> &'a Net {
        // SAFETY: A device's namespace changes under RTNL only, and lives as long as it has devices.
        unsafe { Net::from_raw(bindings::dev_net(self.as_raw())) }
    }
}

impl<D: Driver> Device<D> {
    /// Whether packets it is given to send may be shared with who sends them, as most are not
    /// ([`Unregistered::no_tx_sharing`]).
    #[inline(always)]
    pub(crate) fn shares_tx(&self) -> bool {
        // SAFETY: A read of a word that is changed under RTNL.
        unsafe { bindings::netdev_tx_skb_sharing(self.as_raw()) }
    }

    /// Calls `f` with the instance lock held (`netdev_lock`), for what no callback of the core's brings. Process
    /// context with RTNL; sleeps. Whoever holds the lock already waits for itself for ever.
    pub fn with_lock<R>(&self, _rtnl: &Rtnl, f: impl FnOnce(&mut Locked<'_, D>) -> R) -> R {
        // SAFETY: The device was registered, and lives while RTNL is held, also if the caller has unregistered it.
        // Balanced below.
        unsafe { bindings::netdev_lock(self.as_raw()) };
        // SAFETY: Just locked; each who has a value of this type for the device holds the lock.
        let r = f(&mut unsafe { Locked::assume(self) });
        // SAFETY: Balances the above.
        unsafe { bindings::netdev_unlock(self.as_raw()) };
        r
    }
}

/// A device whose instance lock is held.
///
/// The core makes one for each callback that it calls with the lock, and nobody else can have one at the same
/// time. Methods that may call back into the driver take `&mut self`, so that no borrow of
/// [`state`](Self::state) is alive over them.
pub struct Locked<'a, D: Driver>(&'a Device<D>);

impl<'a, D: Driver> Locked<'a, D> {
    /// # Safety
    ///
    /// The instance lock is held for `'a`, and no other value of this type for the device is in use meanwhile.
    #[inline]
    pub(crate) unsafe fn assume(dev: &'a Device<D>) -> Self {
        Locked(dev)
    }

    /// What the instance lock protects.
    pub fn state(&mut self) -> &mut D::State {
        // SAFETY: The instance lock is held, and `&mut self` is the only such value in use.
        unsafe { &mut *self.0.body().state.get() }
    }

    /// Data and state.
    pub fn parts(&mut self) -> (&'a Device<D>, &mut D::State) {
        let dev = self.0;
        (dev, self.state())
    }

    /// The device, to be kept longer than a borrow of `self`.
    pub fn device(&self) -> &'a Device<D> {
        self.0
    }

    /// Sets how many queues are in use (`netif_set_real_num_{tx,rx}_queues`): RTNL shows by `rtnl`.
    ///
    /// # Errors
    ///
    /// Nothing has changed then. `ENODEV` once its unregistration has begun.
    pub fn set_real_num_queues(&mut self, tx: u32, rx: u32, _rtnl: &Rtnl) -> Result {
        if !self.is_registered() {
            // Its queues' directories may be gone.
            return Err(ENODEV);
        }
        // SAFETY: Registered; RTNL and the instance lock are held.
        to_result(unsafe { bindings::netif_set_real_num_queues(self.as_raw(), tx, rx) })
    }

    /// Packets that are sent may be shared with who sends them from now on (`IFF_TX_SKB_SHARING`). There is no way
    /// back: somebody may have begun. RTNL shows by `rtnl`.
    pub fn allow_tx_sharing(&mut self, _rtnl: &Rtnl) {
        // SAFETY: Valid; RTNL is held, under which these flags of a registered device are changed.
        unsafe {
            bindings::netdev_priv_flags_change(
                self.as_raw(),
                bindings::netdev_priv_flags_IFF_TX_SKB_SHARING,
                0,
            )
        };
    }

    /// Says whether these features can be switched by the user, and has the core compute anew which ones are on
    /// (`netdev_update_features`): it asks [`Driver::fix_features`], and calls [`Driver::set_features`] if some have
    /// changed. RTNL shows by `rtnl`.
    ///
    /// What the user asked for, or what the device was registered with, holds again when it can be switched again.
    pub fn set_switchable(&mut self, which: Features, switchable: bool, _rtnl: &Rtnl) {
        // SAFETY: RTNL and the instance lock are held, under which the word is read and written.
        unsafe {
            let features = &raw mut (*self.as_raw()).hw_features;
            *features = match switchable {
                true => *features | which.0,
                false => *features & !which.0,
            };
            bindings::netdev_update_features(self.as_raw());
        }
    }

    /// Binds both queues `index` to a NAPI instance, or to none, for the netdev netlink family. Nothing happens if the
    /// instance is not one of this device.
    pub fn set_queue_napi<H: crate::napi::Handler<Driver = D>>(
        &mut self,
        index: u32,
        owner: Option<&crate::napi::Owner<H>>,
    ) {
        if owner.is_some_and(|o| !o.is_listed(self)) {
            return;
        }
        let raw = owner.map_or(core::ptr::null_mut(), |o| o.instance().as_raw());
        for (kind, queues) in self.queue_kinds() {
            if index < queues {
                // SAFETY: The queue exists; the instance lock is held; `unbind_napi` is called before the instance
                // is removed.
                unsafe { bindings::netif_queue_set_napi(self.as_raw(), index, kind, raw) };
            }
        }
    }

    /// The kinds of queues, and how many there are.
    fn queue_kinds(&self) -> [(bindings::netdev_queue_type, u32); 2] {
        [
            (
                bindings::netdev_queue_type_NETDEV_QUEUE_TYPE_TX,
                self.num_tx_queues(),
            ),
            (
                bindings::netdev_queue_type_NETDEV_QUEUE_TYPE_RX,
                self.num_rx_queues(),
            ),
        ]
    }

    /// Unbinds all queues from an instance that is about to be removed.
    pub(crate) fn unbind_napi(&mut self, napi: *mut bindings::napi_struct) {
        for (kind, queues) in self.queue_kinds() {
            for index in 0..queues {
                // SAFETY: The queue exists; the instance lock is held.
                let bound = unsafe { bindings::netdev_queue_napi(self.as_raw(), index, kind) };
                if bound == napi {
                    // SAFETY: As above.
                    unsafe {
                        bindings::netif_queue_set_napi(
                            self.as_raw(),
                            index,
                            kind,
                            core::ptr::null_mut(),
                        )
                    };
                }
            }
        }
    }

    /// Lets all transmit queues run (`netif_tx_start_all_queues`).
    pub fn start_all_queues(&mut self) {
        for i in 0..self.num_tx_queues() {
            // SAFETY: The queue exists.
            unsafe {
                bindings::netif_tx_start_queue(bindings::netdev_get_tx_queue(self.as_raw(), i))
            };
        }
    }

    /// Keeps the stack from sending, and waits for those who are sending (`netif_tx_disable`).
    pub fn disable_tx(&mut self) {
        // SAFETY: Process context.
        unsafe { bindings::netdev_tx_disable(self.as_raw()) };
    }
}

impl<D: Driver> Deref for Locked<'_, D> {
    type Target = Device<D>;
    fn deref(&self) -> &Device<D> {
        self.0
    }
}

/// A list of addresses (`struct netdev_hw_addr_list`).
#[derive(Clone, Copy)]
pub struct AddressList<'a>(*const bindings::netdev_hw_addr_list, PhantomData<&'a ()>);

impl AddressList<'_> {
    /// How many.
    pub fn len(&self) -> usize {
        // SAFETY: The core passes a valid list for the time of the callback.
        unsafe { (*self.0).count as usize }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Goes through them.
    pub fn iter(&self) -> impl Iterator<Item = MacAddress> + '_ {
        let mut at: *const bindings::netdev_hw_addr = core::ptr::null();
        core::iter::from_fn(move || {
            // SAFETY: A snapshot of the core's that nobody changes during the callback.
            at = unsafe { bindings::netdev_hw_addr_next(self.0, at) };
            if at.is_null() {
                return None;
            }
            // SAFETY: An entry of the list; an address has at least ETH_ALEN bytes of room.
            Some(unsafe { *(&raw const (*at).addr).cast::<MacAddress>() })
        })
    }
}

/// A device that rtnetlink has allocated and set up, and that is not registered: the driver's data is not there.
pub struct Unregistered<'a, D: Driver> {
    dev: NonNull<bindings::net_device>,
    /// Whether it is freed when this value is dropped.
    owned: bool,
    _dev: PhantomData<(&'a (), D)>,
}

impl<'a, D: Driver> Unregistered<'a, D> {
    /// # Safety
    ///
    /// `dev` was allocated with [`adapter`]'s setup for `D`, is not registered, and lives for `'a` at least if it
    /// is not `owned`; if it is, the caller gives it away.
    pub(crate) unsafe fn from_raw(dev: NonNull<bindings::net_device>, owned: bool) -> Self {
        Unregistered {
            dev,
            owned,
            _dev: PhantomData,
        }
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::net_device {
        self.dev.as_ptr()
    }

    /// Transmit queues it can have.
    pub fn num_tx_queues(&self) -> u32 {
        // SAFETY: Valid, constant.
        unsafe { (*self.as_raw()).num_tx_queues }
    }

    /// Receive queues it can have.
    pub fn num_rx_queues(&self) -> u32 {
        // SAFETY: Valid, constant.
        unsafe { (*self.as_raw()).num_rx_queues }
    }

    /// The namespace it will be in, for as long as RTNL is held.
    pub fn net<'b>(&self, _rtnl: &'b Rtnl) -> &'b Net {
        // SAFETY: Valid; who makes a device holds its namespace under RTNL.
        unsafe { Net::from_raw(bindings::dev_net(self.as_raw())) }
    }

    /// Largest packet without the Ethernet header, in bytes.
    pub fn mtu(&self) -> u32 {
        // SAFETY: Valid, and not shared yet.
        unsafe { (*self.as_raw()).mtu }
    }

    /// The address it will have.
    pub fn address(&self) -> MacAddress {
        // SAFETY: `dev_addr` points to at least ETH_ALEN bytes of an Ethernet device.
        unsafe { *(*self.as_raw()).dev_addr.cast::<MacAddress>() }
    }

    /// The features it will have.
    pub fn features(&self) -> Features {
        // SAFETY: Valid, and not shared yet.
        Features(unsafe { (*self.as_raw()).features })
    }

    /// Gives it a random address (`eth_hw_addr_random`) unless one was set.
    pub fn random_address(&mut self) {
        // SAFETY: Valid, and not shared yet.
        unsafe {
            if (*self.as_raw()).addr_assign_type != bindings::NET_ADDR_SET as u8 {
                bindings::eth_hw_addr_random(self.as_raw());
            }
        }
    }

    /// Packets that are sent may not be shared with who sends them (pktgen's `clone_skb` and bursts), until
    /// [`Locked::allow_tx_sharing`]: `IFF_TX_SKB_SHARING` is cleared.
    pub fn no_tx_sharing(&mut self) {
        // SAFETY: Valid, and not shared yet.
        unsafe {
            bindings::netdev_priv_flags_change(
                self.as_raw(),
                0,
                bindings::netdev_priv_flags_IFF_TX_SKB_SHARING,
            )
        };
    }

    /// Sets the number of queues in use at first.
    pub fn set_real_num_queues(&mut self, tx: u32, rx: u32) -> Result {
        // SAFETY: Not registered: plain assignments under RTNL.
        to_result(unsafe { bindings::netif_set_real_num_queues(self.as_raw(), tx, rx) })
    }

    /// Registers it (`register_netdevice`) with the driver's data.
    ///
    /// # Errors
    ///
    /// Those of the core (a name that is taken, no memory, a notifier that objects) and of `data`. The device is
    /// gone then, or goes as soon as RTNL is dropped; see the [module](self) on who drops the data.
    pub fn register(
        self,
        data: impl PinInit<D::Data, Error>,
        state: D::State,
        _rtnl: &'a Rtnl,
    ) -> Result<&'a Device<D>> {
        let dev = self.as_raw();
        let data = KBox::pin_init(data, GFP_KERNEL_ACCOUNT)?;
        // SAFETY: Valid.
        let queues = unsafe { (*dev).num_tx_queues } as usize;
        let mut tx = KVVec::with_capacity(queues, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..queues {
            tx.push(
                crate::sync::CacheAligned(UnsafeCell::new(D::TxState::default())),
                GFP_KERNEL_ACCOUNT,
            )?;
        }
        // SAFETY: The private part is that of `D`, and nobody else knows the device yet.
        let private = unsafe { &mut *bindings::netdev_priv(dev).cast::<Private<D>>() };
        private.body.write(Body {
            data,
            state: UnsafeCell::new(state),
            tx,
        });
        private.live = true;
        // SAFETY: RTNL is held; the device is set up and not registered.
        let ret = unsafe { bindings::register_netdevice(dev) };
        if let Err(e) = to_result(ret) {
            // SAFETY: The device is valid until it is freed by whoever owns it, later.
            unsafe {
                if bindings::netdev_reg_state(dev)
                    == bindings::netdev_reg_state_NETREG_UNINITIALIZED
                {
                    adapter::destroy::<D>(dev);
                }
            }
            return Err(e);
        }
        // It is the core's now.
        core::mem::forget(self);
        // SAFETY: Registered with its data.
        let dev = unsafe { Device::from_raw(dev) };
        // The core starts with a carrier; a NIC has one when its link is up.
        dev.carrier_off();
        Ok(dev)
    }
}

impl<D: Driver> Drop for Unregistered<'_, D> {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: Owned. Works for a device that failed to register in any of the three ways.
            unsafe { bindings::free_netdev(self.as_raw()) };
        }
    }
}
