// SPDX-License-Identifier: GPL-2.0

//! What readers of a replaced object see, and when it goes.

#[kernel::macros::kunit_tests(netdev_rcu)]
mod tests {
    use crate::context::{synchronize_net, BhGuard};
    use crate::kunit::{Gone, Watched};
    use crate::sync::{Rcu, RcuArc, RcuOption, Snapshot};
    use kernel::prelude::*;
    use kernel::sync::Arc;

    struct Object(u32, #[allow(dead_code)] Watched);

    #[test]
    fn a_reader_keeps_what_it_has_read() -> Result {
        let rcu = Rcu::new(Snapshot::new([1u64; 64])?);
        let next = Snapshot::new([2u64; 64])?;
        let guard = BhGuard::new();
        let old = rcu.read(guard.bh());
        rcu.publish(next);
        // KASAN watches over this one.
        assert_eq!(*old, [1u64; 64]);
        assert_eq!(*rcu.read(guard.bh()), [2u64; 64]);
        drop(guard);
        synchronize_net();
        assert_eq!(rcu.with(|now| now[63]), 2);
        Ok(())
    }

    #[test]
    fn an_option_holds_something_or_nothing() -> Result {
        let rcu = RcuOption::empty();
        let some = Snapshot::new(7u32)?;
        let guard = BhGuard::new();
        assert!(rcu.read(guard.bh()).is_none());
        rcu.publish(Some(some));
        let read = rcu.read(guard.bh()).copied();
        assert_eq!(read, Some(7));
        rcu.publish(None);
        assert!(rcu.read(guard.bh()).is_none());
        Ok(())
    }

    #[test]
    fn a_snapshot_that_is_not_published_is_freed() -> Result {
        let mut snapshot = Snapshot::new([0u8; 300])?;
        snapshot.get_mut()[299] = 9;
        assert_eq!(snapshot[299], 9);
        Ok(())
    }

    #[test]
    fn a_replaced_object_goes_when_it_is_let_go() -> Result {
        let gone = Gone::new()?;
        let rcu = RcuArc::new(Arc::new(Object(1, gone.watched()), GFP_KERNEL)?);
        let next = Arc::new(Object(2, gone.watched()), GFP_KERNEL)?;
        let old = {
            let guard = BhGuard::new();
            let reader = rcu.read(guard.bh());
            let old = rcu.replace(next);
            assert_eq!(reader.0, 1);
            assert_eq!(rcu.read(guard.bh()).0, 2);
            old
        };
        assert_eq!(gone.count(), 0);
        drop(old);
        assert_eq!(gone.count(), 1);
        drop(rcu);
        assert_eq!(gone.count(), 2);
        Ok(())
    }

    #[test]
    fn an_object_that_somebody_else_holds_stays() -> Result {
        let gone = Gone::new()?;
        let object = Arc::new(Object(1, gone.watched()), GFP_KERNEL)?;
        drop(RcuArc::new(object.clone()));
        assert_eq!((object.0, gone.count()), (1, 0));
        drop(object);
        assert_eq!(gone.count(), 1);
        Ok(())
    }
}
