// SPDX-License-Identifier: GPL-2.0

//! Packets that leave a hook and go on behind it.
//!
//! A packet at a hook can be held ([`Packet::hold`]) and resumed later ([`Held::resume`]), resumed at once
//! ([`Packet::resume`]), copied ([`Packet::resume_copy`]), or cut into segments ([`Packet::segments`]). It always goes
//! on *behind* its hook: at the hooks that follow, and then where the stack wanted it.
//!
//! What goes on at once does so on the stack of whoever lets it, and may come to hooks that let others go on. The
//! second such within a first is the last: a third is dropped, so who wants it to live asks [`may_resume`] and
//! [holds](Packet::hold) it instead.

use super::packet::Packet;
use super::service::Seat;
use super::Queued;
use crate::context::Bh;
use crate::interface::Interface;
use crate::skb::{Reason, SkBuff};
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev_sys as bindings;

/// A packet away from its hook, with references to all that it needs to go on: devices, sockets, route.
///
/// The devices can't go while it is held, so who holds packets lets them go when
/// [a device does](crate::notifier::Event::Down). Dropping it drops the packet.
///
/// # Invariants
///
/// The references that `netdev_nf_hold()` takes are owned; `skb_dev` is the device that the packet had then.
pub struct Held {
    skb: Option<SkBuff>,
    skb_dev: *mut bindings::net_device,
    state: bindings::nf_hook_state,
    seat: Arc<Seat>,
    /// Whether it is a copy, or comes of one.
    copy: bool,
}

// SAFETY: Packets and counted references, which any context may hold.
unsafe impl Send for Held {}

/// Whether a packet goes on behind a hook on this CPU right now: what is done here is done with it, or because of it.
pub fn is_nested(_bh: &Bh<'_>) -> bool {
    // SAFETY: Softirqs are off.
    unsafe { bindings::netdev_nf_is_nested() }
}

/// Whether a packet may go on behind a hook now. `false` if two do already, one within the other: the stack has an end.
pub fn may_resume(_bh: &Bh<'_>) -> bool {
    // SAFETY: Softirqs are off.
    unsafe { bindings::netdev_nf_may_resume() }
}

/// Whether what goes on behind a hook on this CPU right now is a copy ([`Packet::resume_copy`]), or comes of one. Who
/// copies copies all the same is a bomb.
pub fn is_copy(_bh: &Bh<'_>) -> bool {
    // SAFETY: Softirqs are off.
    unsafe { bindings::netdev_nf_is_copy() }
}

/// Lets a packet go on behind the hook of a seat, by way of a program if the verdict is to queue it. `false`: it was
/// dropped, as the hook isn't there any more, or too many go on within one another.
fn resume(
    skb: SkBuff,
    state: &mut bindings::nf_hook_state,
    seat: &Seat,
    verdict: u32,
    copy: bool,
    _bh: &Bh<'_>,
) -> bool {
    let raw = skb.into_raw();
    // SAFETY: The packet is given away; the state is valid, with devices that live meanwhile, by those who call;
    // softirqs are off.
    let went = unsafe { bindings::netdev_nf_resume(raw, state, seat.as_raw(), verdict, copy) };
    if !went {
        // SAFETY: Not taken, and not NULL.
        unsafe { SkBuff::from_raw(NonNull::new_unchecked(raw)) }.drop_with(Reason::NETFILTER);
    }
    went
}

impl Queued<'_> {
    /// Hands the packet to the program before the hook returns; it goes on behind the hook when that says so. `false`
    /// if it was dropped, as the hook is going, or unless [`may_resume`].
    pub fn resume(self, bh: &Bh<'_>) -> bool {
        let seat = self.packet.seat();
        // SAFETY: Valid, by the packet's invariant.
        let mut state = unsafe { ptr::read(self.packet.state_ptr()) };
        let (skb, verdict) = self.into_parts();
        resume(skb, &mut state, seat, verdict, false, bh)
    }
}

impl<'p> Packet<'p> {
    /// Takes the packet away from its hook. `None` if it was dropped: its route has gone.
    ///
    /// # Errors
    ///
    /// Gives it back where it could not be resumed: a device is going, generic XDP would see it again, or what goes on
    /// with it is a module's.
    pub fn hold(self, bh: &Bh<'_>) -> Result<Option<Held>, Self> {
        // SAFETY: Packet and state are valid; a hook runs under RCU.
        let error = unsafe { bindings::netdev_nf_hold(self.skb().as_ptr(), self.state_ptr()) };
        match error {
            0 => (),
            e if e == -(bindings::ENETUNREACH as c_int) => {
                self.drop_with(Reason::NETFILTER);
                return Ok(None);
            }
            _ => return Err(self),
        }
        // SAFETY: As above.
        let (skb_dev, state) = unsafe {
            (
                (*self.skb().as_ptr())
                    .__bindgen_anon_1
                    .__bindgen_anon_1
                    .__bindgen_anon_1
                    .dev,
                ptr::read(self.state_ptr()),
            )
        };
        let seat = self.seat().clone();
        // INVARIANT: Taken above.
        Ok(Some(Held {
            skb: Some(self.into_skb()),
            skb_dev,
            state,
            seat,
            copy: is_copy(bh),
        }))
    }

    /// Lets the packet go on behind its hook, before the hook returns. `false` if it was dropped, as the hook is going,
    /// or unless [`may_resume`].
    pub fn resume(self, bh: &Bh<'_>) -> bool {
        // SAFETY: Valid, by the type's invariant.
        let mut state = unsafe { ptr::read(self.state_ptr()) };
        let seat = self.seat();
        resume(
            self.into_skb(),
            &mut state,
            seat,
            bindings::NF_ACCEPT,
            false,
            bh,
        )
    }

    /// Lets a copy of the packet go on behind its hook; until it has, [`is_copy`] says so. `false` if it was dropped,
    /// or not made: there is no memory, the hook is going, or not [`may_resume`].
    pub fn resume_copy(&self, bh: &Bh<'_>) -> bool {
        if !may_resume(bh) {
            return false;
        }
        // SAFETY: Valid; a hook may look at the packet's connection.
        let copy = unsafe { bindings::netdev_nf_copy(self.skb().as_ptr()) };
        let Some(copy) = NonNull::new(copy) else {
            return false;
        };
        // SAFETY: As in `resume`. The copy is owned.
        let (mut state, copy) = unsafe { (ptr::read(self.state_ptr()), SkBuff::from_raw(copy)) };
        let seat = self.seat();
        resume(copy, &mut state, seat, bindings::NF_ACCEPT, true, bh)
    }

    /// Cuts a super frame.
    ///
    /// # Errors
    ///
    /// Gives the packet back if it is none, opens a connection (which one packet has to do), or there is no memory.
    pub fn segments(self) -> Result<Segments<'p>, Self> {
        // SAFETY: Valid; a hook may look at the packet's connection.
        let unfit = unsafe {
            !bindings::skb_is_gso(self.skb().as_ptr())
                || bindings::skb_shared(self.skb().as_ptr())
                || bindings::netdev_nf_ct_unconfirmed(self.skb().as_ptr())
        };
        if unfit {
            return Err(self);
        }
        let mac = match self.direction() {
            Some(super::Direction::Ingress) => self.skb().mac_distance().unwrap_or(0),
            _ => 0,
        };
        // SAFETY: A super frame that is ours alone; its link header lies so many bytes before the data.
        let list = unsafe { bindings::netdev_nf_segment(self.skb().as_ptr(), mac) };
        if list.is_null() {
            return Err(self);
        }
        let (state, seat) = (self.state_ptr(), self.seat());
        self.into_skb().consume();
        Ok(Segments {
            list,
            // SAFETY: Not NULL, by the packet's invariant.
            state: unsafe { NonNull::new_unchecked(state.cast_mut()) },
            seat,
            _state: PhantomData,
        })
    }

    /// Finds another route for a packet that was made here and whose mark or traffic class has changed
    /// (`ip_route_me_harder`). At [`Inet::LocalOut`](super::Inet::LocalOut).
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn reroute(&mut self) -> Result {
        if self.inet() != Some(super::Inet::LocalOut) {
            return Ok(());
        }
        // SAFETY: Valid, with a route, as all packets have there.
        crate::errno::to_result(unsafe {
            bindings::netdev_nf_reroute(self.skb().as_ptr(), self.state_ptr())
        })
    }
}

/// The segments of a super frame, packets at the hook like it. What is not taken is dropped.
pub struct Segments<'p> {
    /// A list, or NULL at its end.
    list: *mut bindings::sk_buff,
    state: NonNull<bindings::nf_hook_state>,
    seat: &'p Arc<Seat>,
    _state: PhantomData<&'p bindings::nf_hook_state>,
}

impl<'p> Iterator for Segments<'p> {
    type Item = Packet<'p>;

    fn next(&mut self) -> Option<Packet<'p>> {
        // SAFETY: A list that is ours.
        let skb = NonNull::new(unsafe { bindings::netdev_skb_pop(&mut self.list) })?;
        // SAFETY: An owned packet; the state is that of the super frame, valid for `'p`.
        Some(unsafe { Packet::from_raw(skb, self.state, self.seat) })
    }
}

impl Drop for Segments<'_> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

impl Held {
    /// Lets the packet go on behind its hook. `false` if it was dropped, as the hook or a device has gone, or unless
    /// [`may_resume`].
    pub fn resume(mut self, bh: &Bh<'_>) -> bool {
        let Some(skb) = self.skb.take() else {
            return false;
        };
        let guard = kernel::sync::rcu::read_lock();
        // SAFETY: The state's devices are held. If they are where they were, so is the namespace, while RCU is held.
        let there = unsafe { bindings::netdev_nf_is_there(&self.state) };
        if !there {
            skb.drop_with(Reason::DEV_READY);
            return false;
        }
        let raw = skb.into_raw();
        // SAFETY: As above; a valid packet, which is taken with NF_STOLEN.
        let verdict = unsafe { bindings::netdev_nf_update(self.state.net, raw) } as u32;
        let went = match verdict {
            bindings::NF_STOLEN => false,
            bindings::NF_ACCEPT => {
                // SAFETY: Not taken, and not NULL.
                let skb = unsafe { SkBuff::from_raw(NonNull::new_unchecked(raw)) };
                let (state, seat) = (&mut self.state, &self.seat);
                resume(skb, state, seat, bindings::NF_ACCEPT, self.copy, bh)
            }
            _ => {
                // SAFETY: As above.
                unsafe { SkBuff::from_raw(NonNull::new_unchecked(raw)) }
                    .drop_with(Reason::NETFILTER);
                false
            }
        };
        drop(guard);
        went
    }

    /// Bytes of memory that the packet takes (`truesize`).
    pub fn memory(&self) -> u64 {
        match &self.skb {
            // SAFETY: A valid packet.
            Some(skb) => unsafe { (*skb.as_ptr()).truesize }.into(),
            None => 0,
        }
    }

    /// Drops it for a reason.
    pub fn drop_with(mut self, reason: Reason) {
        if let Some(skb) = self.skb.take() {
            skb.drop_with(reason);
        }
    }

    /// Whether it is one of the packet's devices that can't go before the packet.
    pub fn is_at(&self, dev: &Interface) -> bool {
        let dev = dev.as_raw();
        [self.skb_dev, self.state.in_, self.state.out].contains(&dev)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(skb) = self.skb.take() {
            skb.drop_with(Reason::NETFILTER);
        }
        // SAFETY: Owned, by the type invariant.
        unsafe { bindings::netdev_nf_release(self.skb_dev, &self.state) };
    }
}
