// SPDX-License-Identifier: GPL-2.0

//! Devices that come in pairs.
//!
//! A device may know one other of the same driver. The link is made when both are registered and cut when either
//! is unregistered, by the abstraction itself, in `ndo_uninit`; after that the core waits for a grace period
//! before it frees anything. So a peer can be reached under RTNL, or under RCU, and no reference is held.

use super::{Device, Driver};
use crate::context::Bh;
use crate::rtnl::Rtnl;
use core::ptr;
use core::sync::atomic::Ordering;
use kernel::prelude::*;

impl<D: Driver> Device<D> {
    /// Makes each of the two the other's peer.
    ///
    /// # Errors
    ///
    /// `ENODEV` if one is not registered any more: nothing would cut the link. Nothing changes then.
    pub fn pair(&self, other: &Device<D>, rtnl: &Rtnl) -> Result {
        if !self.is_registered() || !other.is_registered() {
            return Err(ENODEV);
        }
        // Nobody is left pointing at one who has another peer now.
        self.unpair(rtnl);
        other.unpair(rtnl);
        self.private().peer.store(other.as_raw(), Ordering::Release);
        other.private().peer.store(self.as_raw(), Ordering::Release);
        Ok(())
    }

    /// Cuts the link, if there is one, on both sides.
    pub fn unpair(&self, _rtnl: &Rtnl) {
        let peer = self.private().peer.swap(ptr::null_mut(), Ordering::AcqRel);
        if !peer.is_null() {
            // SAFETY: A peer is registered, or its own unregistration would have cut the link.
            let peer = unsafe { Device::<D>::from_raw(peer) };
            peer.private()
                .peer
                .store(ptr::null_mut(), Ordering::Release);
        }
    }

    fn peer_raw<'a>(&self) -> Option<&'a Device<D>> {
        let peer = self.private().peer.load(Ordering::Acquire);
        if peer.is_null() {
            return None;
        }
        // SAFETY: The callers show that the peer lives for `'a`.
        Some(unsafe { Device::from_raw(peer) })
    }

    /// The other end, under RTNL.
    pub fn peer<'a>(&self, _rtnl: &'a Rtnl) -> Option<&'a Device<D>> {
        self.peer_raw()
    }

    /// The other end, under RCU.
    #[inline]
    pub fn peer_rcu<'a>(&self, _bh: &'a Bh<'_>) -> Option<&'a Device<D>> {
        self.peer_raw()
    }

    /// Calls `f` with the other end, under RCU. Any context but a hard interrupt.
    pub fn with_peer<R>(&self, f: impl FnOnce(&Device<D>) -> R) -> Option<R> {
        let guard = kernel::sync::rcu::read_lock();
        let r = self.peer_raw().map(f);
        drop(guard);
        r
    }
}
