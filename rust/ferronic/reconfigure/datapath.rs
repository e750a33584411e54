// SPDX-License-Identifier: GPL-2.0

//! Another datapath for a wire whose ports may be up.
//!
//! Both ends change, one after the other, as their instance locks are never held together; RTNL keeps either from being
//! opened, closed or reconfigured meanwhile. So there is a time when one end is of the old kind and one of the new. All
//! inlets are closing then: an engine that comes to one waits as on a full ring, and a poll that finds an outlet of the
//! other kind leaves it alone ([`OutletOpen::hands_off`]). When both are through, all is opened, and each outlet looks
//! again at what it holds.
//!
//! [`OutletOpen::hands_off`]: crate::wire::OutletOpen::hands_off

use super::{drain, exchange_rings, resume, PATIENCE};
use crate::channel::Channel;
use crate::port::{offer_features, Port};
use crate::receive::RxHalf;
use crate::updown::{self, Halves, Plan, Up};
use crate::wire::Datapath;
use kernel::prelude::*;
use netdev::device::Device;
use netdev::rtnl::Rtnl;

/// A port, and what it is to have for channels: nothing while it is down.
struct Half<'a> {
    device: &'a Device<Port>,
    fresh: KVec<(Halves, Channel)>,
    /// Room for what they received by so far.
    old: KVec<RxHalf>,
}

impl<'a> Half<'a> {
    fn new(device: &'a Device<Port>, to: Datapath, rtnl: &Rtnl) -> Result<Self> {
        let (fresh, old) = device.with_lock(rtnl, |dev| {
            let plan = Plan::new(dev, to);
            let channels = dev.state().up.as_ref().map_or(0, |up| up.owners.len());
            let mut fresh = KVec::with_capacity(channels, GFP_KERNEL_ACCOUNT)?;
            for i in 0..channels as u32 {
                fresh.push(updown::fill_channel(dev, i, &plan)?, GFP_KERNEL_ACCOUNT)?;
            }
            Ok::<_, Error>((fresh, KVec::with_capacity(channels, GFP_KERNEL_ACCOUNT)?))
        })?;
        Ok(Half { device, fresh, old })
    }

    /// Lets producers wait, and what they have delivered be taken.
    fn quiesce(&self, rtnl: &Rtnl) {
        self.device.with_lock(rtnl, |dev| {
            let end = dev.device().data().end();
            if let Some(Up { owners }) = dev.state().up.as_ref() {
                drain(end, 0, owners, false, &mut { PATIENCE });
            }
        });
    }

    /// Exchanges the rings of all channels, whose inlets stay closing.
    fn exchange(&mut self, rtnl: &Rtnl) {
        let (fresh, old) = (core::mem::take(&mut self.fresh), &mut self.old);
        self.device.with_lock(rtnl, |dev| {
            let mut patience = PATIENCE;
            let mut up = dev.state().up.take();
            if let Some(Up { owners }) = up.as_mut() {
                for (i, (owner, made)) in owners.iter_mut().zip(fresh).enumerate() {
                    let half = exchange_rings(dev, i, owner, made, true, &mut patience);
                    // There is room. It goes when the traffic goes on.
                    let _ = half.map(|half| old.push_within_capacity(half));
                }
            }
            dev.state().up = up;
        });
    }

    /// Opens the inlets.
    fn open(&self) {
        for inlet in &self.device.data().end().inlets {
            if let Some(open) = inlet.lock.lock_bh().as_mut() {
                open.closing = false;
            }
        }
    }

    /// Lets all channels go on.
    fn resume(&self, rtnl: &Rtnl) {
        self.device.with_lock(rtnl, |dev| {
            let device = dev.device();
            if let Some(Up { owners }) = dev.state().up.as_ref() {
                for (i, owner) in owners.iter().enumerate() {
                    resume(device, i, owner);
                }
            }
        });
    }
}

/// A change of a wire's datapath, prepared: all that can fail is done. Dropped, nothing has happened.
pub(crate) struct Changeover<'a> {
    halves: [Half<'a>; 2],
    to: Datapath,
}

impl<'a> Changeover<'a> {
    /// Makes what the channels of both ports of a wire need for another datapath, if they are up. RTNL, no instance
    /// lock; sleeps.
    ///
    /// # Errors
    ///
    /// `EDQUOT` if what packets hold of earlier pools is more than a user namespace may have, `ENOMEM`.
    pub(crate) fn new(ports: [&'a Device<Port>; 2], to: Datapath, rtnl: &Rtnl) -> Result<Self> {
        let [a, b] = ports;
        Ok(Changeover {
            halves: [Half::new(a, to, rtnl)?, Half::new(b, to, rtnl)?],
            to,
        })
    }

    /// Changes it. RTNL, held since [`new`](Self::new), no instance lock; sleeps. Packets that were not sent yet go the
    /// new way; only one that had been sent in part is dropped, and counted. Returns the ports.
    pub(crate) fn make(mut self, rtnl: &Rtnl) -> [&'a Device<Port>; 2] {
        for half in &self.halves {
            half.quiesce(rtnl);
        }
        for half in &mut self.halves {
            half.exchange(rtnl);
        }
        let ports = self.halves.each_ref().map(|half| half.device);
        let [first, _] = ports;
        first.data().wire.set_datapath(self.to, rtnl);
        for half in &self.halves {
            half.open();
        }
        for half in &self.halves {
            half.resume(rtnl);
        }
        for port in ports {
            port.with_lock(rtnl, |dev| offer_features(dev, rtnl));
        }
        ports
    }
}
