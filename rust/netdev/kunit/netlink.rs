// SPDX-License-Identifier: GPL-2.0

//! What is written into a message, and what a refusal leaves of it.

#[kernel::macros::kunit_tests(netdev_netlink)]
mod tests {
    use crate::netlink::{ExtAck, Fill, Walk, Writer};
    use core::ffi::CStr;
    use core::ptr::NonNull;
    use kernel::prelude::*;
    use netdev_sys as bindings;

    /// A packet that attributes are written to.
    struct Packet(NonNull<bindings::sk_buff>);

    impl Packet {
        fn new() -> Result<Self> {
            // SAFETY: Process context.
            let skb = unsafe { bindings::netdev_genlmsg_new(bindings::GFP_KERNEL) };
            Ok(Packet(NonNull::new(skb).ok_or(ENOMEM)?))
        }

        fn writer(&mut self) -> Writer<'_> {
            // SAFETY: Ours, and borrowed for as long as the writer lives.
            unsafe { Writer::from_raw(self.0) }
        }

        fn bytes(&self) -> &[u8] {
            // SAFETY: Ours, linear, and not written while it is borrowed.
            unsafe {
                let skb = self.0.as_ref();
                core::slice::from_raw_parts(skb.data, skb.len as usize)
            }
        }

        fn attributes(&self) -> Walk<'_> {
            // SAFETY: What the writer wrote are attributes.
            unsafe { Walk::new(self.bytes()) }
        }
    }

    impl Drop for Packet {
        fn drop(&mut self) {
            // SAFETY: Ours.
            unsafe { bindings::nlmsg_free(self.0.as_ptr()) };
        }
    }

    #[test]
    fn what_is_written_is_read() -> Result {
        let mut packet = Packet::new()?;
        let mut to = packet.writer();
        to.u8(1, 0xfe)?;
        to.u16(2, 0xfedc)?;
        to.u32(3, 0xfedc_ba98)?;
        to.s32(4, -5)?;
        to.string(5, c"wire")?;
        to.flag(6)?;
        to.bytes(7, &[1, 2, 3])?;
        let mut from = packet.attributes();
        let mut next = || from.next().ok_or(EINVAL);
        assert_eq!(next()?.u8()?, 0xfe);
        assert_eq!(next()?.u16()?, 0xfedc);
        assert_eq!(next()?.u32()?, 0xfedc_ba98);
        assert_eq!(next()?.s32()?, -5);
        assert_eq!(next()?.string()?, c"wire");
        assert!(next()?.payload().is_empty());
        let last = next()?;
        assert_eq!((last.kind(), last.payload()), (7, &[1u8, 2, 3][..]));
        assert!(from.next().is_none());
        Ok(())
    }

    #[test]
    fn an_integer_takes_32_bits_if_it_fits() -> Result {
        let mut packet = Packet::new()?;
        for (value, len) in [
            (0u64, 4usize),
            (u64::from(u32::MAX), 4),
            (1 << 32, 8),
            (u64::MAX, 8),
        ] {
            packet.writer().uint(1, value)?;
            let last = packet.attributes().last().ok_or(EINVAL)?;
            assert_eq!((last.uint()?, last.payload().len()), (value, len));
        }
        Ok(())
    }

    #[test]
    fn what_a_function_leaves_out_is_zero() -> Result {
        let mut packet = Packet::new()?;
        let with = |room: &mut [u8]| room[1] = 0xaa;
        packet.writer().fill(
            1,
            Fill {
                len: 5,
                with: &with,
            },
        )?;
        let attribute = packet.attributes().next().ok_or(EINVAL)?;
        assert_eq!(attribute.payload(), &[0u8, 0xaa, 0, 0, 0][..]);
        Ok(())
    }

    #[test]
    fn a_nest_holds_what_is_written_to_it() -> Result {
        let mut packet = Packet::new()?;
        let mut to = packet.writer();
        let mut outer = to.nest(1)?;
        outer.u32(2, 20)?;
        let mut inner = outer.nest(3)?;
        inner.u32(4, 40)?;
        inner.end();
        outer.end();
        to.u32(5, 50)?;
        let outer = packet.attributes().next().ok_or(EINVAL)?;
        assert_eq!(outer.attributes().count(), 2);
        let inner = outer.find(3).and_then(|nest| nest.find(4)).ok_or(EINVAL)?;
        assert_eq!(inner.u32()?, 40);
        assert_eq!(packet.attributes().count(), 2);
        Ok(())
    }

    #[test]
    fn a_nest_that_is_dropped_leaves_nothing() -> Result {
        let mut packet = Packet::new()?;
        packet.writer().u32(1, 1)?;
        let before = packet.bytes().len();
        {
            let mut to = packet.writer();
            let mut nest = to.nest(2)?;
            nest.u32(3, 3)?;
            nest.nest(4)?.flag(5)?;
        }
        assert_eq!(packet.bytes().len(), before);
        Ok(())
    }

    #[test]
    fn a_full_message_is_left_as_it_was() -> Result {
        let mut packet = Packet::new()?;
        while packet.writer().bytes(1, &[0x55; 100]).is_ok() {}
        let before = packet.bytes().len();
        let full = packet.writer().bytes(1, &[0x55; 100]).err();
        assert!(full == Some(EMSGSIZE));
        let with = |_: &mut [u8]| ();
        let full = packet
            .writer()
            .fill(
                1,
                Fill {
                    len: 100,
                    with: &with,
                },
            )
            .err();
        assert!(full == Some(EMSGSIZE));
        assert_eq!(packet.bytes().len(), before);
        Ok(())
    }

    #[test]
    fn a_long_sentence_is_cut() {
        let mut raw = bindings::netlink_ext_ack::default();
        // SAFETY: Lives until the end of the function.
        let extack = unsafe { ExtAck::from_raw(&mut raw) };
        extack.format(fmt!("{:0>100}", 7));
        // SAFETY: The sentence was put into the buffer beside it.
        let said = unsafe { CStr::from_ptr(raw._msg.cast()) };
        assert_eq!(said.to_bytes().len(), 79);
        extack.format(fmt!("{}", 42));
        // SAFETY: As above.
        let said = unsafe { CStr::from_ptr(raw._msg.cast()) };
        assert_eq!(said, c"42");
    }
}
