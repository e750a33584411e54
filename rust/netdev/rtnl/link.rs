// SPDX-License-Identifier: GPL-2.0

//! A kind of link (`struct rtnl_link_ops`): what `ip link add … type KIND` makes.

use super::{Rtnl, Slot};
use crate::device::{private_size, setup, Device, Driver, Unregistered};
use crate::errno::{from_result, to_result};
use crate::netlink::{Attribute, Attributes, ExtAck, Policy};
use crate::notifier::{Event, Notifier};
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::prelude::*;
use kernel::types::Opaque;
use netdev_sys as bindings;

/// Largest general attribute.
const IFLA_MAX: usize = bindings::__IFLA_MAX as usize - 1;

/// A kind of link.
pub trait Link: 'static {
    /// The driver of its devices.
    type Driver: Driver;

    /// Its name, as in `ip link add … type NAME`.
    const KIND: &'static CStr;

    /// The attributes in `IFLA_INFO_DATA`, by number.
    const POLICY: &'static [Policy];

    /// Number of the attribute that holds a peer (`struct ifinfomsg` and `IFLA_*`); 0 if there is none. Its policy is
    /// to ask for at least that structure, which the core reads before anybody else looks.
    const PEER: u16 = 0;

    /// Queues of a device for which the user asked none.
    const DEFAULT_QUEUES: u32 = 1;

    /// Whether [`event`](Self::event) is called.
    const WATCHED: bool = false;

    /// Where the kind is known while it is registered, if its devices are to be found by number.
    fn slot() -> Option<&'static Slot<Self>>
    where
        Self: Sized,
    {
        None
    }

    /// Something has happened to a device of the kind. RTNL; may sleep; the instance lock may be held or not.
    fn event(_event: Event, _dev: &Device<Self::Driver>, _rtnl: &Rtnl) {}

    /// Looks at the attributes before a device is allocated.
    fn validate(_tb: &Attributes<'_>, _data: &Attributes<'_>, _extack: &ExtAck<'_>) -> Result {
        Ok(())
    }

    /// Registers the device, and whatever comes with it. RTNL; may sleep.
    ///
    /// # Errors
    ///
    /// Everything is to be as it was. The device itself is freed by the core.
    fn newlink(
        dev: Unregistered<'_, Self::Driver>,
        params: &NewLink<'_, Self::Driver>,
        rtnl: &Rtnl,
        extack: &ExtAck<'_>,
    ) -> Result;

    /// Puts the device, and whatever goes with it, on the list of those to be unregistered. RTNL.
    fn dellink(dev: &Device<Self::Driver>, list: &mut KillList<'_>, rtnl: &Rtnl) {
        let _ = rtnl;
        list.add(dev);
    }
}

/// What a request to make a link says (`struct rtnl_newlink_params`).
///
/// # Invariants
///
/// `ops` are those of a kind whose driver is `D`.
pub struct NewLink<'a, D: Driver> {
    params: &'a mut bindings::rtnl_newlink_params,
    max: usize,
    ops: *const bindings::rtnl_link_ops,
    kind: &'static [u8],
    _driver: PhantomData<D>,
}

impl<'a, D: Driver> NewLink<'a, D> {
    /// The attributes of the kind (`IFLA_INFO_DATA`).
    pub fn data(&self) -> Attributes<'a> {
        // SAFETY: NULL, or an array of as many entries as the policy has.
        unsafe { Attributes::from_raw(self.params.data, self.max) }
    }

    /// The general attributes (`IFLA_*`).
    pub fn attributes(&self) -> Attributes<'a> {
        // SAFETY: An array of IFLA_MAX + 1 entries.
        unsafe { Attributes::from_raw(self.params.tb, IFLA_MAX) }
    }

    /// The namespace in which the peer is to be, already checked for the right to make it there.
    fn peer_net(&self) -> *mut bindings::net {
        let raw = (&raw const *self.params).cast_mut();
        // SAFETY: Valid parameters.
        unsafe { bindings::rtnl_newlink_peer_net(raw) }
    }

    /// Makes, registers and configures the device at the other end.
    ///
    /// `peer` is the attribute that describes it; what is missing there has its default (the name: the kind and a
    /// number). `register` gets the fresh device, which is the one to return. If anything fails, nothing is left of it.
    ///
    /// # Errors
    ///
    /// `EINVAL` if `peer` is no description of a device, or `register` returns another device or one that it has
    /// unregistered; those of `register` and of the core.
    pub fn create_peer(
        &self,
        peer: Option<Attribute<'_>>,
        rtnl: &'a Rtnl,
        extack: &ExtAck<'_>,
        register: impl FnOnce(Unregistered<'a, D>) -> Result<&'a Device<D>>,
    ) -> Result<&'a Device<D>> {
        let mut tb = [core::ptr::null_mut(); IFLA_MAX + 1];
        let mut ifmp: *const bindings::ifinfomsg = core::ptr::null();
        if let Some(attr) = peer {
            if attr.payload().len() < size_of::<bindings::ifinfomsg>() {
                return Err(EINVAL);
            }
            // SAFETY: The array has IFLA_MAX + 1 entries; the policy has seen that a `struct ifinfomsg` fits.
            to_result(unsafe {
                bindings::rtnl_nla_parse_ifinfomsg(tb.as_mut_ptr(), attr.as_raw(), extack.as_raw())
            })?;
            ifmp = attr.payload().as_ptr().cast();
        }
        // SAFETY: As above.
        let given = unsafe { Attributes::from_raw(tb.as_mut_ptr(), IFLA_MAX) };

        let mut name = [0u8; bindings::IFNAMSIZ as usize];
        let assigned = match given.get(bindings::IFLA_IFNAME as usize) {
            Some(a) => {
                copy_name(&mut name, a.bytes_until_nul())?;
                bindings::NET_NAME_USER
            }
            None => {
                copy_name(&mut name, self.kind)?;
                // The core puts a number there. The third byte stays zero.
                if let Some([a, b, _, ..]) = name.get_mut(self.kind.len()..) {
                    [*a, *b] = *b"%d";
                }
                bindings::NET_NAME_ENUM
            }
        };
        // SAFETY: RTNL is held; all pointers are valid for the call.
        let raw = unsafe {
            bindings::rtnl_create_link(
                self.peer_net(),
                name.as_ptr().cast(),
                assigned as u8,
                self.ops,
                given.as_raw(),
                extack.as_raw(),
            )
        };
        let raw = NonNull::new(kernel::error::from_err_ptr(raw)?).ok_or(ENOMEM)?;
        if !ifmp.is_null() {
            // SAFETY: Not registered; the header was validated.
            unsafe { (*raw.as_ptr()).ifindex = (*ifmp).ifi_index };
        }
        // SAFETY: A fresh device, ours to free, of this kind, and so of driver `D` by the type invariant.
        let fresh = unsafe { Unregistered::from_raw(raw, true) };
        let dev = register(fresh).inspect_err(|&e| {
            if e == EEXIST {
                match peer {
                    Some(attr) => extack.attribute(c"peer: a device of this name exists", &attr),
                    None => extack.message(c"peer: a device of this name exists"),
                }
            }
        })?;
        if dev.as_raw() != raw.as_ptr() || !dev.is_registered() {
            return Err(EINVAL);
        }
        // SAFETY: RTNL is held and nobody holds the instance lock. The core opens the device if the user said "up".
        let ret = unsafe {
            bindings::netdev_lock(dev.as_raw());
            let ret = bindings::rtnl_configure_link(dev.as_raw(), ifmp, 0, core::ptr::null());
            bindings::netdev_unlock(dev.as_raw());
            ret
        };
        if let Err(e) = to_result(ret) {
            dev.unregister(rtnl);
            return Err(e);
        }
        Ok(dev)
    }
}

fn copy_name(to: &mut [u8], name: &[u8]) -> Result {
    // One byte is for the terminating zero.
    if name.len() >= to.len() {
        return Err(EINVAL);
    }
    to.get_mut(..name.len())
        .ok_or(EINVAL)?
        .copy_from_slice(name);
    Ok(())
}

impl<D: Driver> Device<D> {
    /// Unregisters it (`unregister_netdevice`), unless that has begun. Process context; nothing may use the device
    /// once RTNL is dropped.
    pub fn unregister(&self, _rtnl: &Rtnl) {
        // SAFETY: RTNL is held, and keeps the device. Without a list it is unregistered at once.
        unsafe { bindings::netdev_unregister_once(self.as_raw(), core::ptr::null_mut()) };
    }
}

/// Devices that are about to be unregistered together.
pub struct KillList<'a>(*mut bindings::list_head, PhantomData<&'a ()>);

impl KillList<'_> {
    /// Adds a device, unless it is on such a list already (a namespace that dies may have both ends of a pair on
    /// one, and lists them itself) or its unregistration has begun.
    pub fn add<D: Driver>(&mut self, dev: &Device<D>) {
        // SAFETY: RTNL is held, as in all callbacks with such a list.
        unsafe { bindings::netdev_unregister_once(dev.as_raw(), self.0) };
    }
}

/// A registered kind of link. Dropping it unregisters it and every device of the kind.
pub struct Registration<L: Link> {
    // Before `ops`, whose address it knows the devices by.
    _notifier: Option<Notifier<L>>,
    ops: Pin<KBox<Opaque<bindings::rtnl_link_ops>>>,
    /// Where the table is known: what [`Link::slot`] said once.
    slot: Option<&'static Slot<L>>,
    _link: PhantomData<L>,
}

// SAFETY: Only used to be dropped.
unsafe impl<L: Link> Send for Registration<L> {}
// SAFETY: As above.
unsafe impl<L: Link> Sync for Registration<L> {}

impl<L: Link> Registration<L> {
    const PEER: u16 = {
        let least = match L::POLICY.split_at_checked(L::PEER as usize) {
            Some((_, [policy, ..])) => policy.least(),
            _ => 0,
        };
        assert!(
            L::PEER == 0 || least >= size_of::<bindings::ifinfomsg>() as i16,
            "the attribute of a peer is not looked at enough"
        );
        L::PEER
    };

    /// Registers it (`rtnl_link_register`). Process context.
    pub fn new() -> Result<Self> {
        let ops = KBox::pin_init(
            Opaque::ffi_init(|slot: *mut bindings::rtnl_link_ops| {
                // SAFETY: All zeros is an empty table, plain data and optional functions.
                unsafe { slot.write_bytes(0, 1) };
                // SAFETY: Valid for writing, just initialised. `peer_type` is const in C.
                unsafe {
                    (*slot).kind = L::KIND.as_ptr().cast();
                    (*slot).priv_size = const { private_size::<L::Driver>() };
                    (*slot).setup = Some(setup::<L::Driver>);
                    (*slot).maxtype = L::POLICY.len().saturating_sub(1) as u32;
                    (*slot).policy = L::POLICY.as_ptr().cast();
                    (&raw const (*slot).peer_type).cast_mut().write(Self::PEER);
                    (*slot).validate = Some(Self::validate);
                    (*slot).newlink = Some(Self::newlink);
                    (*slot).dellink = Some(Self::dellink);
                    (*slot).get_num_tx_queues = Some(Self::default_queues);
                    (*slot).get_num_rx_queues = Some(Self::default_queues);
                }
            }),
            GFP_KERNEL,
        )?;
        let notifier = if L::WATCHED {
            // SAFETY: Only devices of this kind refer to the table, which is freed after the notifier is gone.
            Some(unsafe { Notifier::new(ops.get()) }?)
        } else {
            None
        };
        // SAFETY: The table is complete and pinned until `drop`.
        to_result(unsafe { bindings::rtnl_link_register(ops.get()) })?;
        let slot = L::slot();
        if let Some(slot) = slot {
            // SAFETY: Just registered; cleared by `drop`, before the table is freed.
            unsafe { slot.set(ops.get()) };
        }
        Ok(Registration {
            _notifier: notifier,
            ops,
            slot,
            _link: PhantomData,
        })
    }

    /// What the core calls for links of the kind.
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) fn table(&self) -> *const bindings::rtnl_link_ops {
        self.ops.get()
    }

    /// # Safety
    ///
    /// The core's call of `get_num_tx_queues` or `get_num_rx_queues` for a link of the kind `L`.
    unsafe extern "C" fn default_queues() -> c_uint {
        L::DEFAULT_QUEUES
    }

    /// # Safety
    ///
    /// The core's call of `validate` for a link of the kind `L`.
    unsafe extern "C" fn validate(
        tb: *mut *mut bindings::nlattr,
        data: *mut *mut bindings::nlattr,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: The core passes arrays of these sizes, or NULL, and an extack or NULL.
        let (tb, data, extack) = unsafe {
            (
                Attributes::from_raw(tb, IFLA_MAX),
                Attributes::from_raw(data, L::POLICY.len().saturating_sub(1)),
                ExtAck::from_raw(extack),
            )
        };
        if let Some(address) = tb.get(bindings::IFLA_ADDRESS as usize) {
            let p = address.payload();
            if p.len() != crate::device::ETH_ALEN {
                extack.attribute(c"An Ethernet address has six bytes", &address);
                return EINVAL.to_errno();
            }
            // SAFETY: As long as an Ethernet address, as just seen.
            if !unsafe { bindings::is_valid_ether_addr(p.as_ptr()) } {
                extack.attribute(c"Not a valid unicast Ethernet address", &address);
                return crate::errno::EADDRNOTAVAIL().to_errno();
            }
        }
        from_result(L::validate(&tb, &data, &extack))
    }

    /// # Safety
    ///
    /// The core's call of `newlink` for a link of the kind `L`.
    unsafe extern "C" fn newlink(
        dev: *mut bindings::net_device,
        params: *mut bindings::rtnl_newlink_params,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: The core passes a device that `setup` has set up, which it frees itself if this fails, with
        // valid parameters, under RTNL.
        let (dev, params, extack, rtnl) = unsafe {
            (
                Unregistered::from_raw(NonNull::new_unchecked(dev), false),
                // INVARIANT: The device is of kind `L`.
                NewLink {
                    ops: (*dev).rtnl_link_ops,
                    _driver: PhantomData,
                    kind: const { L::KIND.to_bytes() },
                    params: &mut *params,
                    max: L::POLICY.len().saturating_sub(1),
                },
                ExtAck::from_raw(extack),
                Rtnl::assume(),
            )
        };
        let raw = dev.as_raw();
        let result = L::newlink(dev, &params, &rtnl, &extack);
        // SAFETY: Whatever became of the device, it is there until RTNL is dropped.
        let registered = unsafe { Device::<L::Driver>::raw_is_registered(raw) };
        from_result(match result {
            // The core goes on with a registered device, or frees one that is not.
            Ok(()) if !registered => Err(EINVAL),
            Err(e) if registered => {
                // SAFETY: As above; RTNL is held. The core frees it when RTNL is dropped.
                unsafe { bindings::netdev_unregister_once(raw, core::ptr::null_mut()) };
                Err(e)
            }
            result => result,
        })
    }

    /// # Safety
    ///
    /// The core's call of `dellink` for a link of the kind `L`.
    unsafe extern "C" fn dellink(dev: *mut bindings::net_device, head: *mut bindings::list_head) {
        let mut list = KillList(head, PhantomData);
        // SAFETY: A device of this kind with its data, under RTNL; the list may be NULL, for a single device.
        unsafe {
            let dev = Device::from_raw(dev);
            L::dellink(dev, &mut list, &Rtnl::assume());
            // Whatever the driver did: when its kind goes, no device may be left that refers to it.
            list.add::<L::Driver>(dev);
        }
    }
}

impl<L: Link> Drop for Registration<L> {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`. Kills all devices and waits for them.
        unsafe { bindings::rtnl_link_unregister(self.ops.get()) };
        if let Some(slot) = self.slot {
            // SAFETY: It is cleared. The core refuses a second kind of the same name, so it was this one's.
            unsafe { slot.set(core::ptr::null_mut()) };
        }
    }
}
