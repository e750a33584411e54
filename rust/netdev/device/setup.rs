// SPDX-License-Identifier: GPL-2.0

//! A device before registration: what is the same for all devices of a driver.

use super::Driver;
use crate::features::Features;
use core::marker::PhantomData;
use netdev_sys as bindings;

/// A freshly allocated Ethernet device (`ether_setup` has run).
pub struct Setup<'a, D: Driver> {
    dev: &'a mut bindings::net_device,
    _driver: PhantomData<D>,
}

impl<'a, D: Driver> Setup<'a, D> {
    pub(super) fn new(dev: &'a mut bindings::net_device) -> Self {
        Setup {
            dev,
            _driver: PhantomData,
        }
    }

    /// Sets features: on at first, those that can be switched, those for VLAN devices on top, and those for
    /// encapsulated packets.
    pub fn features(
        &mut self,
        on: Features,
        switchable: Features,
        vlan: Features,
        encapsulated: Features,
    ) -> &mut Self {
        self.dev.features = on.0;
        self.dev.hw_features = switchable.0;
        self.dev.vlan_features = vlan.0;
        self.dev.hw_enc_features = encapsulated.0;
        self
    }

    /// Sets the limits of the MTU, in bytes.
    pub fn mtu_range(&mut self, min: u32, max: u32) -> &mut Self {
        self.dev.min_mtu = min;
        self.dev.max_mtu = max;
        self
    }

    /// Sets how large a packet to be segmented may be, in bytes (`netif_set_tso_max_size`).
    pub fn tso_max_size(&mut self, bytes: u32) -> &mut Self {
        // SAFETY: The device is valid and not shared.
        unsafe { bindings::netif_set_tso_max_size(self.dev, bytes) };
        self
    }

    /// After how long without a completion the watchdog calls, in milliseconds.
    pub fn watchdog(&mut self, ms: u32) -> &mut Self {
        // SAFETY: Pure arithmetic.
        self.dev.watchdog_timeo = unsafe { bindings::__msecs_to_jiffies(ms) } as i32;
        self
    }

    /// The address may change while the device is up.
    pub fn live_address_change(&mut self) -> &mut Self {
        self.priv_flags(bindings::netdev_priv_flags_IFF_LIVE_ADDR_CHANGE, 0)
    }

    /// The device filters secondary unicast addresses itself.
    pub fn unicast_filter(&mut self) -> &mut Self {
        self.priv_flags(bindings::netdev_priv_flags_IFF_UNICAST_FLT, 0)
    }

    fn priv_flags(&mut self, set: u32, clear: u32) -> &mut Self {
        // SAFETY: The device is valid and not shared.
        unsafe { bindings::netdev_priv_flags_change(self.dev, set, clear) };
        self
    }
}
