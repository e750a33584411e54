// SPDX-License-Identifier: GPL-2.0

//! Contexts as evidence.
//!
//! C header: [`include/linux/bottom_half.h`](srctree/include/linux/bottom_half.h)

use core::marker::PhantomData;
use kernel::types::NotThreadSafe;
use netdev_sys as bindings;

/// Evidence that softirqs are disabled on this CPU, or that one is running.
///
/// Everything the core calls on the packet path has this: `ndo_start_xmit`, a NAPI poll, a timer in
/// softirq mode. It is also an RCU read-side critical section (since the RCU flavours were merged in
/// v4.20), which is why [`sync::Rcu`](crate::sync::Rcu) is read with it.
///
/// # Invariants
///
/// While a value of this type is borrowed, the current CPU does not enable softirqs.
pub struct Bh<'a>(PhantomData<&'a ()>, NotThreadSafe);

impl Bh<'_> {
    /// Claims that softirqs are disabled.
    ///
    /// # Safety
    ///
    /// Softirqs must stay disabled on this CPU for as long as the returned value lives.
    #[inline]
    pub(crate) unsafe fn assume() -> Self {
        // INVARIANT: By the caller's promise.
        Bh(PhantomData, NotThreadSafe)
    }

    /// Returns whether hard interrupts are off too.
    ///
    /// So it is when netpoll transmits. Locks that a softirq holder may have on this very CPU must not
    /// be taken then.
    #[inline]
    pub fn irqs_disabled(&self) -> bool {
        // SAFETY: Reads a flag of the current CPU; callable in any context.
        unsafe { bindings::netdev_irqs_disabled() }
    }

    /// Number of the current CPU, which cannot change while softirqs are off.
    #[inline]
    pub fn cpu(&self) -> u32 {
        // SAFETY: The current context cannot migrate while softirqs are off.
        unsafe { bindings::netdev_smp_processor_id() }
    }
}

/// Softirqs disabled by process context; enabled again on drop.
///
/// Pending softirqs run in the drop: a NAPI raised under the guard is polled at once, not at the next tick.
pub struct BhGuard(Bh<'static>);

/// Softirqs disabled, by whomever; turned on again on drop if that was here.
pub(crate) struct BhEntered(Bh<'static>, bool);

impl BhEntered {
    /// Returns the evidence.
    #[inline(always)]
    pub(crate) fn bh(&self) -> &Bh<'_> {
        &self.0
    }
}

impl Drop for BhEntered {
    #[inline(always)]
    fn drop(&mut self) {
        if self.1 {
            // SAFETY: Balances `BhGuard::enter`.
            unsafe { bindings::netdev_local_bh_enable() };
        }
    }
}

impl BhGuard {
    /// Disables softirqs. Any context but a hard interrupt.
    #[inline]
    pub fn new() -> Self {
        // SAFETY: Balanced in `drop`.
        unsafe { bindings::netdev_local_bh_disable() };
        // SAFETY: They stay disabled until this value is dropped, which ends all borrows of the inner value.
        BhGuard(unsafe { Bh::assume() })
    }

    /// Disables softirqs, unless they are.
    #[inline]
    pub(crate) fn enter() -> BhEntered {
        // SAFETY: Balanced in the drop of what is returned. Whoever had them off before keeps them off until the caller
        // has returned.
        unsafe {
            let here = bindings::netdev_bh_enter();
            BhEntered(Bh::assume(), here)
        }
    }

    /// Returns the evidence.
    #[inline]
    pub fn bh(&self) -> &Bh<'_> {
        &self.0
    }
}

impl Default for BhGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for BhGuard {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: Balances `new`.
        unsafe { bindings::netdev_local_bh_enable() };
    }
}

/// Waits until every packet-path and RCU reader that runs now is through (`synchronize_net`).
///
/// Process context; expedited if RTNL is held.
pub fn synchronize_net() {
    // SAFETY: Callable wherever one may sleep. That this is such a place no type shows: see the crate's documentation.
    unsafe { bindings::synchronize_net() };
}
