// SPDX-License-Identifier: GPL-2.0

//! Attaching a hook.

use super::packet::Packet;
use super::service::{self, Seat};
use super::{Direction, Hook, Inet, Protocol, Verdict, REPEATS_MAX};
use crate::context::{synchronize_net, Bh, BhGuard};
use crate::interface::Interface;
use crate::rtnl::{Net, Rtnl};
use crate::skb::Reason;
use core::ptr::NonNull;
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev_sys as bindings;

/// What a hook's private pointer points to.
struct Entry<T: Hook> {
    data: T::Data,
    seat: Arc<Seat>,
}

/// A hook that is attached. Dropping it detaches it and waits until no packet is in it any more; process context.
pub struct Registration<T: Hook> {
    entry: Pin<KBox<Entry<T>>>,
    /// The number of the device it is at, or 0.
    ifindex: u32,
    /// Whether it is detached, and no packet is in it.
    over: bool,
}

impl<T: Hook> Registration<T> {
    /// Attaches a hook at a point of IP's way, for a namespace (`nf_register_net_hook`). `priority` says where among
    /// the hooks of the point; see [`super::priority`]. Process context; sleeps.
    ///
    /// # Errors
    ///
    /// `ENODEV` if there is no [`Service`](super::Service), or the namespace is going; `E2BIG` if the point has 1024
    /// hooks already; `ENOMEM`.
    pub fn new(
        net: &Net,
        protocol: Protocol,
        point: Inet,
        priority: i32,
        data: T::Data,
    ) -> Result<Self> {
        Self::attach(net, 0, data, |ops| {
            ops.pf = protocol as u8;
            ops.hooknum = point as u32;
            ops.priority = priority;
        })
    }

    /// Attaches a hook at a device, in the namespace it is in. RTNL keeps it from going or moving meanwhile.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new); `EOPNOTSUPP` if the kernel has no such hooks.
    pub fn on_device(
        dev: &Interface,
        direction: Direction,
        priority: i32,
        data: T::Data,
        rtnl: &Rtnl,
    ) -> Result<Self> {
        // SAFETY: A device that was found under RTNL is valid as long as it is held.
        if unsafe { bindings::netdev_reg_state(dev.as_raw()) }
            != bindings::netdev_reg_state_NETREG_REGISTERED
        {
            return Err(ENODEV);
        }
        Self::attach(dev.net(rtnl), dev.ifindex(), data, |ops| {
            ops.pf = bindings::NFPROTO_NETDEV as u8;
            ops.hooknum = direction as u32;
            ops.priority = priority;
            ops.dev = dev.as_raw();
        })
    }

    fn attach(
        net: &Net,
        ifindex: u32,
        data: T::Data,
        fill: impl FnOnce(&mut bindings::nf_hook_ops),
    ) -> Result<Self> {
        let seat = Seat::new(|ops| {
            fill(ops);
            ops.hook = Some(trampoline::<T>);
        })?;
        let entry = KBox::pin(Entry::<T> { data, seat }, GFP_KERNEL_ACCOUNT)?;
        let at: *const Entry<T> = &*entry;
        // What the hook is called with stays where it is until it was unregistered and a grace period has passed.
        if let Err(e) = service::seat(&entry.seat, net, at.cast_mut().cast()) {
            // A hook of both families is registered for one after the other: if the second fails, packets may be in the
            // first, which is withdrawn without a wait.
            synchronize_net();
            return Err(e);
        }
        Ok(Registration {
            entry,
            ifindex,
            over: false,
        })
    }

    /// Detaches all of them that are not detached already, and waits once until no packet is in any of them. Process
    /// context.
    pub fn detach_all<'a>(all: impl IntoIterator<Item = &'a mut Self>)
    where
        T: 'a,
    {
        let mut any = false;
        for registration in all.into_iter().filter(|r| !r.over) {
            service::unseat(&registration.entry.seat);
            // They are borrowed until the wait is over, so that none is dropped before.
            registration.over = true;
            any = true;
        }
        if any {
            synchronize_net();
        }
    }

    /// The number of the device it is at, if it is at one.
    pub fn ifindex(&self) -> Option<u32> {
        (self.ifindex != 0).then_some(self.ifindex)
    }

    /// What belongs to it.
    pub fn data(&self) -> &T::Data {
        &self.entry.data
    }
}

impl<T: Hook> Drop for Registration<T> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        service::unseat(&self.entry.seat);
        // Even if the service took it off the hook already: it does not wait.
        synchronize_net();
    }
}

/// # Safety
///
/// The core's call of the hook that `T` is, with `entry` as registered.
unsafe extern "C" fn trampoline<T: Hook>(
    entry: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: The entry lives until a grace period after the hook was unregistered; this is one's read side.
    let entry = unsafe { &*entry.cast::<Entry<T>>() };
    // SAFETY: The core passes both, never NULL.
    let (skb, state) = unsafe {
        (
            NonNull::new_unchecked(skb),
            NonNull::new_unchecked(state.cast_mut()),
        )
    };
    let guard = BhGuard::enter();
    let bh: &Bh<'_> = guard.bh();
    // The first time, and the repeats.
    for _ in 0..=REPEATS_MAX {
        // SAFETY: The core's call, or a packet that was given back.
        let packet = unsafe { Packet::from_raw(skb, state, &entry.seat) };
        let (back, verdict) = match T::packet(&entry.data, packet, bh) {
            Verdict::Accept(packet) => (packet.into_skb(), bindings::NF_ACCEPT),
            Verdict::Queue(queued) => queued.into_parts(),
            Verdict::Repeat(packet) => (packet.into_skb(), bindings::NF_REPEAT),
            Verdict::Drop(packet, reason) => {
                packet.drop_with(reason);
                return DROPPED;
            }
            Verdict::Stolen => return bindings::NF_STOLEN,
        };
        if !core::ptr::eq(back.as_ptr(), skb.as_ptr()) {
            // A segment of it, and it is gone: the core would go on with the one it passed.
            back.drop_with(Reason::NETFILTER);
            return bindings::NF_STOLEN;
        }
        let _ = back.into_raw();
        if verdict != bindings::NF_REPEAT {
            return verdict;
        }
    }
    // SAFETY: The last repeat gave it back.
    unsafe { crate::skb::SkBuff::from_raw(skb) }.drop_with(Reason::NETFILTER);
    DROPPED
}

/// What `NF_DROP_REASON()` makes: taken, and who sent it is told `EPERM`.
const DROPPED: u32 = bindings::EPERM << 16 | bindings::NF_STOLEN;

#[kernel::macros::kunit_tests(netdev_netfilter)]
mod tests {
    use super::*;
    use crate::skb::SkBuff;
    use crate::sync::AtomicWord;
    use core::mem::MaybeUninit;

    /// Counts calls, and wants so many repeats.
    struct Again {
        wanted: u64,
        calls: AtomicWord,
    }

    impl Hook for Again {
        type Data = Again;

        fn packet<'p>(data: &Again, packet: Packet<'p>, _: &Bh<'_>) -> Verdict<'p> {
            if data.calls.fetch_add(1) < data.wanted {
                Verdict::Repeat(packet)
            } else {
                Verdict::Accept(packet)
            }
        }
    }

    /// Puts a packet before a hook that wants so many repeats: the verdict, and how often it was called.
    fn call(wanted: u64) -> Result<(u32, u64)> {
        let data = Again {
            wanted,
            calls: AtomicWord::new(0),
        };
        let seat = Seat::new(|_| ())?;
        let mut entry = Entry::<Again> { data, seat };
        // SAFETY: Process context; no device is allowed.
        let skb = unsafe {
            bindings::__netdev_alloc_skb(core::ptr::null_mut(), 64, bindings::GFP_KERNEL)
        };
        let owned = NonNull::new(skb).ok_or(ENOMEM)?;
        let state = MaybeUninit::<bindings::nf_hook_state>::zeroed();
        // SAFETY: As the core calls it: what was registered, a packet that is given away, and a state for nothing.
        let verdict = unsafe { trampoline::<Again>((&raw mut entry).cast(), skb, state.as_ptr()) };
        if verdict == bindings::NF_ACCEPT {
            // SAFETY: Accepted, so it is ours again.
            drop(unsafe { SkBuff::from_raw(owned) });
        }
        Ok((verdict, entry.data.calls.read()))
    }

    #[test]
    fn a_packet_is_put_before_its_hook_again() -> Result {
        let most = u64::from(REPEATS_MAX);
        for wanted in 0..=most {
            let (verdict, calls) = call(wanted)?;
            assert_eq!(verdict, bindings::NF_ACCEPT);
            assert_eq!(calls, wanted.wrapping_add(1));
        }
        Ok(())
    }

    /// Gives back another packet than it was given, as a segment is, in each of the ways.
    struct Another;

    impl Hook for Another {
        type Data = AtomicWord;

        fn packet<'p>(data: &AtomicWord, packet: Packet<'p>, _: &Bh<'_>) -> Verdict<'p> {
            // SAFETY: Valid, and nobody else looks at it.
            let copy = unsafe { bindings::netdev_nf_copy(packet.skb().as_ptr()) };
            let (state, seat) = (packet.state_ptr().cast_mut(), packet.seat());
            let (Some(copy), Some(state)) = (NonNull::new(copy), NonNull::new(state)) else {
                return Verdict::Accept(packet);
            };
            packet.into_skb().consume();
            // SAFETY: Owned; the state is that of the call.
            let copy = unsafe { Packet::from_raw(copy, state, seat) };
            match data.fetch_add(1) {
                0 => Verdict::Accept(copy),
                _ => Verdict::Repeat(copy),
            }
        }
    }

    #[test]
    fn another_packet_does_not_take_its_place() -> Result {
        let mut entry = Entry::<Another> {
            data: AtomicWord::new(0),
            seat: Seat::new(|_| ())?,
        };
        for calls in 1..=2 {
            // SAFETY: Process context; no device is allowed.
            let skb = unsafe {
                bindings::__netdev_alloc_skb(core::ptr::null_mut(), 64, bindings::GFP_KERNEL)
            };
            NonNull::new(skb).ok_or(ENOMEM)?;
            let state = MaybeUninit::<bindings::nf_hook_state>::zeroed();
            // SAFETY: As in `call`.
            let verdict =
                unsafe { trampoline::<Another>((&raw mut entry).cast(), skb, state.as_ptr()) };
            assert_eq!(verdict, bindings::NF_STOLEN);
            assert_eq!(entry.data.read(), calls);
        }
        Ok(())
    }

    #[test]
    fn and_dropped_when_that_does_not_end() -> Result {
        let (verdict, calls) = call(u64::MAX)?;
        assert_eq!(verdict, DROPPED);
        assert_eq!(calls, u64::from(REPEATS_MAX).wrapping_add(1));
        Ok(())
    }
}
