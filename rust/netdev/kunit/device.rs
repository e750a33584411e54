// SPDX-License-Identifier: GPL-2.0

//! Devices whose driver does what it had better not.

#[kernel::macros::kunit_tests(netdev_device)]
mod tests {
    use crate::context::Bh;
    use crate::device::{Device, Driver, LinkStats, Locked, Setup, Unregistered};
    use crate::errno::to_result;
    use crate::kunit::{counted, watch, Gone};
    use crate::netlink::{ExtAck, Policy};
    use crate::page_pool::PagePool;
    use crate::rtnl::{KillList, Link, NewLink, Registration, Rtnl, RtnlGuard};
    use crate::skb::SkBuff;
    use crate::txq::TxQueue;
    use crate::{ethtool, queue_stats};
    use core::ptr::null_mut;
    use kernel::prelude::*;
    use kernel::sync::atomic::{ordering::Relaxed, Atomic};
    use netdev_sys as bindings;

    /// Devices that have their data.
    static THERE: Atomic<i32> = Atomic::new(0);

    /// What [`Odd::newlink`] does.
    static WAY: Atomic<u32> = Atomic::new(REGISTERS);
    const REGISTERS: u32 = 0;
    const FAILS_AFTERWARDS: u32 = 1;
    const DOES_NOTHING: u32 = 2;

    /// The data of a device.
    struct Data(());

    impl Data {
        fn new() -> Self {
            THERE.store(THERE.load(Relaxed) + 1, Relaxed);
            Data(())
        }
    }

    impl Drop for Data {
        fn drop(&mut self) {
            THERE.store(THERE.load(Relaxed) - 1, Relaxed);
        }
    }

    struct Odd;

    #[vtable]
    impl Driver for Odd {
        type Data = Data;
        type State = ();
        type TxState = Option<SkBuff>;
        type Ethtool = Self;
        type QueueStats = Self;

        fn setup(_: &mut Setup<'_, Self>) {}

        fn open(_: &mut Locked<'_, Self>, _: &Rtnl) -> Result {
            Ok(())
        }

        fn stop(_: &mut Locked<'_, Self>, _: &Rtnl) {}

        /// Keeps the packet, and gives back the one before; an empty one at once.
        fn start_xmit(
            _: &Device<Self>,
            kept: &mut Option<SkBuff>,
            _: TxQueue<'_>,
            _: &Bh<'_>,
            skb: SkBuff,
        ) -> core::result::Result<(), SkBuff> {
            if skb.is_empty() {
                return Err(skb);
            }
            kept.replace(skb).map_or(Ok(()), Err)
        }

        fn get_stats(_: &Device<Self>, _: &mut LinkStats) {}
    }

    #[vtable]
    impl ethtool::Operations for Odd {
        type Driver = Self;
        const NAME: &'static CStr = c"netdev_kunit";
    }

    #[vtable]
    impl queue_stats::Operations for Odd {
        type Driver = Self;
    }

    impl Link for Odd {
        type Driver = Self;
        const KIND: &'static CStr = c"netdev_kunit";
        const POLICY: &'static [Policy] = &[];

        fn newlink(
            dev: Unregistered<'_, Self>,
            _: &NewLink<'_, Self>,
            rtnl: &Rtnl,
            _: &ExtAck<'_>,
        ) -> Result {
            let way = WAY.load(Relaxed);
            if way != DOES_NOTHING {
                dev.register(Ok(Data::new()), (), rtnl)?;
            }
            if way == FAILS_AFTERWARDS {
                return Err(EIO);
            }
            Ok(())
        }

        /// Lists nothing.
        fn dellink(_: &Device<Self>, _: &mut KillList<'_>, _: &Rtnl) {}
    }

    /// Makes a device as the core does on request.
    fn make<'a>(kind: &Registration<Odd>, way: u32, _rtnl: &'a Rtnl) -> Result<&'a Device<Odd>> {
        let ops = kind.table();
        let mut tb = [null_mut(); bindings::__IFLA_MAX as usize];
        let mut params = bindings::rtnl_newlink_params {
            tb: tb.as_mut_ptr(),
            ..Default::default()
        };
        // SAFETY: RTNL is held; all pointers are valid for the calls. The core frees the device if the kind's operation
        // fails.
        unsafe {
            let dev = kernel::error::from_err_ptr(bindings::rtnl_create_link(
                &raw mut bindings::init_net,
                c"kunit%d".as_ptr().cast(),
                bindings::NET_NAME_ENUM as u8,
                ops,
                tb.as_mut_ptr(),
                null_mut(),
            ))?;
            WAY.store(way, Relaxed);
            let newlink = (*ops).newlink.ok_or(EINVAL)?;
            if let Err(e) = to_result(newlink(dev, &mut params, null_mut())) {
                bindings::free_netdev(dev);
                return Err(e);
            }
            Ok(Device::from_raw(dev))
        }
    }

    #[test]
    fn the_end_of_a_kind_takes_its_devices_along() -> Result {
        let kind = Registration::<Odd>::new()?;
        let rtnl = RtnlGuard::lock();
        assert!(make(&kind, REGISTERS, &rtnl)?.is_registered());
        drop(rtnl);
        assert_eq!(THERE.load(Relaxed), 1);
        // Its `dellink` lists nothing.
        drop(kind);
        assert_eq!(THERE.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn what_newlink_says_is_looked_at() -> Result {
        let kind = Registration::<Odd>::new()?;
        let rtnl = RtnlGuard::lock();
        assert!(make(&kind, FAILS_AFTERWARDS, &rtnl).err() == Some(EIO));
        assert!(make(&kind, DOES_NOTHING, &rtnl).err() == Some(EINVAL));
        drop(rtnl);
        assert_eq!(THERE.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn one_that_goes_is_left_alone() -> Result {
        let kind = Registration::<Odd>::new()?;
        let rtnl = RtnlGuard::lock();
        let a = make(&kind, REGISTERS, &rtnl)?;
        let b = make(&kind, REGISTERS, &rtnl)?;
        a.pair(b, &rtnl)?;
        assert!(b.peer(&rtnl).is_some());
        a.unregister(&rtnl);
        assert!(!a.is_registered() && b.is_registered() && b.peer(&rtnl).is_none());
        a.unregister(&rtnl);
        assert!(a.pair(b, &rtnl) == Err(ENODEV) && b.pair(a, &rtnl) == Err(ENODEV));
        assert!(a.peer(&rtnl).is_none() && b.peer(&rtnl).is_none());
        assert!(a.with_lock(&rtnl, |a| PagePool::new(a, 0, 1, None).err()) == Some(ENODEV));
        b.with_lock(&rtnl, |b| PagePool::new(b, 0, 1, None).map(drop))?;
        b.unregister(&rtnl);
        drop(rtnl);
        assert_eq!(THERE.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn another_packet_given_back_is_dropped() -> Result {
        let gone = Gone::new()?;
        let kind = Registration::<Odd>::new()?;
        let rtnl = RtnlGuard::lock();
        let dev = make(&kind, REGISTERS, &rtnl)?;
        let send = |size| {
            let skb = counted(size)?;
            watch(&skb, &gone);
            let raw = skb.into_inner().into_raw();
            // SAFETY: As the core calls it: with the queue's lock, and softirqs off. The packet is given away, unless
            // the device is busy.
            unsafe {
                let queue = bindings::netdev_get_tx_queue(dev.as_raw(), 0);
                let call = (*(*dev.as_raw()).netdev_ops).ndo_start_xmit.ok_or(EINVAL)?;
                bindings::netif_tx_lock_queue_bh(queue);
                let result = call(raw, dev.as_raw());
                bindings::netif_tx_unlock_queue_bh(queue);
                if result == bindings::netdev_tx::NETDEV_TX_BUSY {
                    drop(SkBuff::from_raw(
                        core::ptr::NonNull::new(raw).ok_or(EINVAL)?,
                    ));
                    return Err(EBUSY);
                }
            }
            Ok(())
        };
        send(1)?;
        assert_eq!(gone.count(), 0);
        send(2)?;
        assert_eq!(gone.count(), 1);
        assert!(send(0) == Err(EBUSY));
        assert_eq!(gone.count(), 2);
        dev.unregister(&rtnl);
        drop(rtnl);
        assert_eq!(gone.count(), 3);
        Ok(())
    }
}
