// SPDX-License-Identifier: GPL-2.0

//! Packets: who owns them, and what a refusal leaves of them.

#[kernel::macros::kunit_tests(netdev_packet)]
mod tests {
    use crate::context::BhGuard;
    use crate::kunit::{counted, packet, watch, Gone};
    use crate::page_pool::Buffer;
    use crate::skb::{GsoKind, Merged, Reason, SkBuff, TxChecksum};
    use core::ptr::NonNull;
    use kernel::prelude::*;
    use netdev_sys as bindings;
    use pure::checksum::Sum;

    #[test]
    fn each_way_out_frees_it_once() -> Result {
        let gone = Gone::new()?;
        let ways: [fn(SkBuff); 3] = [drop, SkBuff::consume, |skb| skb.drop_with(Reason::NO_MEM)];
        for (way, number) in ways.into_iter().zip(1u32..) {
            let skb = packet(64)?;
            watch(&skb, &gone);
            way(skb.into_inner());
            assert_eq!(gone.count(), number);
        }
        Ok(())
    }

    #[test]
    fn one_that_is_not_shared_stays_the_same() -> Result {
        let skb = counted(64)?;
        let address = skb.as_ptr();
        let guard = BhGuard::new();
        let owned = skb.into_inner().into_owned()?;
        drop(guard);
        assert!(owned.skb().as_ptr() == address);
        Ok(())
    }

    #[test]
    fn a_shared_one_is_cloned() -> Result {
        let skb = counted(64)?;
        let raw = skb.as_ptr();
        // SAFETY: The packet is valid; the second reference is the one made here.
        let second = unsafe {
            (*raw).users.refs.counter = 2;
            SkBuff::from_raw(NonNull::new(raw).ok_or(EINVAL)?)
        };
        let guard = BhGuard::new();
        let owned = skb.into_inner().into_owned()?;
        drop(guard);
        assert!(owned.skb().as_ptr() != second.as_ptr());
        assert!(owned.skb().linear() == second.linear());
        Ok(())
    }

    #[test]
    fn copying_stops_at_the_end() -> Result {
        let skb = counted(100)?;
        let mut to = [0u8; 40];
        skb.copy_bits(60, &mut to)?;
        assert_eq!((to[0], to[39]), (60, 99));
        to = [7; 40];
        assert!(skb.copy_bits(61, &mut to).is_err());
        // To the core the offset is signed.
        assert!(skb.copy_bits(u32::MAX, &mut to).is_err());
        assert!(skb.copy_bits(1 << 31, &mut to).is_err());
        skb.copy_bits(100, &mut [])?;
        assert!(skb.copy_and_sum(61, &mut to).is_err());
        assert!(skb.copy_and_sum(u32::MAX, &mut to).is_err());
        assert_eq!(to, [7; 40]);
        Ok(())
    }

    #[test]
    fn the_sum_is_that_of_the_bytes() -> Result {
        let skb = counted(101)?;
        for (offset, len) in [(0u32, 101usize), (1, 100), (7, 33), (100, 1), (50, 0)] {
            let mut to = [0u8; 101];
            let to = &mut to[..len];
            let (mut sum, mut wanted) = (Sum::new(), Sum::new());
            sum.add_partial(skb.copy_and_sum(offset, to)?, len);
            wanted.add_bytes(to);
            assert_eq!(sum.checksum_nonzero(), wanted.checksum_nonzero());
            assert!(to.iter().zip(offset..).all(|(&byte, at)| byte == at as u8));
        }
        Ok(())
    }

    #[test]
    fn more_than_fits_is_not_put() -> Result {
        let mut skb = packet(64)?;
        while skb.put(&[1; 64]).is_ok() {}
        let before = skb.len();
        assert!(skb.put(&[1; 64]) == Err(ENOSPC));
        assert_eq!(skb.len(), before);
        Ok(())
    }

    #[test]
    fn fragments_are_refused_where_they_do_not_fit() -> Result {
        let params = bindings::page_pool_params::default();
        // SAFETY: Valid parameters; destroyed below, after its buffers.
        let pool = unsafe { bindings::page_pool_create(&params) };
        let pool = NonNull::new(kernel::error::from_err_ptr(pool)?).ok_or(ENOMEM)?;
        let buffer = || {
            let mut len = 2048;
            // SAFETY: This test is the pool's only user; the fragment is given to the buffer.
            unsafe {
                let va = bindings::netdev_page_pool_alloc_va(
                    pool.as_ptr(),
                    &mut len,
                    bindings::GFP_KERNEL,
                );
                Ok::<_, Error>(Buffer::from_raw(
                    NonNull::new(va.cast()).ok_or(ENOMEM)?,
                    len,
                ))
            }
        };
        let filled = || {
            let mut skb = counted(10)?;
            assert!(skb.add_frag(buffer()?, 2000, 100).is_err());
            assert!(skb.add_frag(buffer()?, u32::MAX, 1).is_err());
            // What begins behind the last byte is another's page.
            let whole = buffer()?;
            let end = whole.len();
            assert!(skb.add_frag(whole, end, 0).is_err());
            assert!(skb.add_frag(buffer()?, 0, 0).is_err());
            assert_eq!(skb.len(), 10);
            while skb.frags_left() > 0 {
                let mut piece = buffer()?;
                piece.bytes_mut()[100..110].fill(0x77);
                assert!(skb.add_frag(piece, 100, 10).is_ok());
            }
            assert!(skb.add_frag(buffer()?, 0, 1).is_err());
            let mut to = [0u8; 15];
            skb.copy_bits(5, &mut to)?;
            assert_eq!((to[4], to[5], to[14]), (9, 0x77, 0x77));
            // Behind fragments nothing is appended to the linear part.
            assert!(skb.put(&[1]).is_err());

            // Pages of such a packet are given back in another way than a pool's.
            let mut foreign = counted(10)?;
            let piece = buffer()?;
            let len = piece.len();
            // SAFETY: The fragment is given away; it is a pool's, which is said below, before the packet is freed.
            unsafe {
                let va = piece.into_raw().as_ptr().cast();
                bindings::netdev_skb_add_rx_va(foreign.as_ptr(), va, 10, len);
            }
            assert!(foreign.add_frag(buffer()?, 0, 1).is_err());
            assert_eq!(foreign.len(), 20);
            // SAFETY: Its one fragment is a pool's.
            unsafe { bindings::skb_mark_for_recycle(foreign.as_ptr()) };
            assert!(foreign.add_frag(buffer()?, 0, 1).is_ok());
            Ok(())
        };
        let result = filled();
        // SAFETY: All its buffers have come back.
        unsafe { bindings::page_pool_destroy(pool.as_ptr()) };
        result
    }

    #[test]
    fn a_tag_goes_in_and_comes_out() -> Result {
        let mut skb = counted(60)?;
        assert!(skb.vlan_tag().is_none());
        skb.set_vlan_tag(0x88a8, 0xabcd);
        assert_eq!(skb.vlan_tag(), Some((0x88a8, 0xabcd)));
        let mut skb = counted(60)?.insert_vlan_tag(0x8100, 0x0123).ok_or(ENOMEM)?;
        assert_eq!(skb.len(), 64);
        assert_eq!(skb.linear()[12..18], [0x81, 0, 0x01, 0x23, 12, 13]);
        skb.strip_vlan_tag();
        assert_eq!((skb.len(), skb.vlan_tag()), (60, Some((0x8100, 0x0123))));
        assert!(skb.linear() == counted(60)?.linear());
        Ok(())
    }

    #[test]
    fn a_short_frame_is_not_stripped() -> Result {
        let mut skb = packet(64)?;
        skb.put(&[0; 12])?;
        skb.put(&[0x81, 0, 0, 1, 8])?;
        skb.strip_vlan_tag();
        assert_eq!((skb.len(), skb.vlan_tag()), (17, None));
        Ok(())
    }

    #[test]
    fn a_merged_packet_says_how_it_is_cut() -> Result {
        let mut skb = counted(100)?;
        let merged = Merged {
            size: 30,
            segments: 2,
            ipv6: false,
            fixed_id: true,
            cwr: false,
            transport_offset: 34,
        };
        for bad in [
            Merged { size: 0, ..merged },
            Merged {
                transport_offset: 81,
                ..merged
            },
            Merged {
                transport_offset: u16::MAX,
                ..merged
            },
        ] {
            assert!(skb.set_merged(bad).is_err());
            assert!(skb.gso().is_none());
            assert!(skb.tx_checksum() == TxChecksum::Done);
        }
        skb.set_merged(merged)?;
        let gso = skb.gso().ok_or(EINVAL)?;
        assert!(gso.kind == GsoKind::Tcp4 && gso.fixed_id && gso.size == 30);
        assert_eq!(skb.segments(), 2);
        let fill = TxChecksum::Fill {
            start: 34,
            offset: 16,
        };
        assert!(skb.tx_checksum() == fill);
        Ok(())
    }
}
