// SPDX-License-Identifier: GPL-2.0

//! Netlink attributes and error reports.
//!
//! C header: [`include/net/netlink.h`](srctree/include/net/netlink.h)

mod nest;
mod policy;
mod writer;

pub(crate) use nest::TWICE;
pub use nest::{once, Item, Nests, Walk};
pub use policy::{Policy, Range};
pub use writer::{Fill, Nest, Writer};

use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::slice;
use kernel::prelude::*;
use netdev_sys as bindings;

/// Where a refusal says why (`struct netlink_ext_ack`).
#[derive(Clone, Copy)]
pub struct ExtAck<'a>(*mut bindings::netlink_ext_ack, PhantomData<&'a ()>);

impl ExtAck<'_> {
    /// # Safety
    ///
    /// NULL, or valid for the lifetime of the returned value.
    pub(crate) unsafe fn from_raw(raw: *mut bindings::netlink_ext_ack) -> Self {
        ExtAck(raw, PhantomData)
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::netlink_ext_ack {
        self.0
    }

    /// Says it in a sentence.
    pub fn message(&self, msg: &'static CStr) {
        // SAFETY: NULL is allowed; the message is static.
        unsafe { bindings::netdev_extack_set(self.0, msg.as_ptr().cast(), core::ptr::null()) };
    }

    /// Says it in a sentence and points to the attribute.
    pub fn attribute(&self, msg: &'static CStr, attr: &Attribute<'_>) {
        // SAFETY: As above; the attribute lies in the message that is being answered.
        unsafe { bindings::netdev_extack_set(self.0, msg.as_ptr().cast(), attr.0.as_ptr()) };
    }

    /// Says it in a sentence, and which type of attribute is missing.
    pub fn missing(&self, msg: &'static CStr, kind: u16) {
        // SAFETY: As above.
        unsafe {
            bindings::netdev_extack_miss(
                self.0,
                msg.as_ptr().cast(),
                core::ptr::null(),
                u32::from(kind),
            )
        };
    }

    /// Says it in a sentence, and which type of attribute is missing within `nest`.
    pub fn missing_in(&self, msg: &'static CStr, nest: &Attribute<'_>, kind: u16) {
        // SAFETY: As above.
        unsafe {
            bindings::netdev_extack_miss(
                self.0,
                msg.as_ptr().cast(),
                nest.0.as_ptr(),
                u32::from(kind),
            )
        };
    }

    /// Says it in a sentence that is put together here, at most 79 bytes of it (`NL_SET_ERR_MSG_FMT`).
    pub fn format(&self, args: fmt::Arguments<'_>) {
        if self.0.is_null() {
            return;
        }
        // Put together aside: what is formatted is the caller's code, which may come here again.
        let mut text = Text {
            to: [0; MESSAGE],
            at: 0,
        };
        // What does not fit is left out.
        let _ = fmt::Write::write_fmt(&mut text, args);
        // SAFETY: Valid by the promise to `from_raw`; only this context writes to it, and nobody has a reference.
        unsafe {
            // CAST: `c_char` is a byte.
            let buffer = (&raw mut (*self.0)._msg_buf).cast::<[u8; MESSAGE]>();
            buffer.write(text.to);
            (*self.0)._msg = buffer.cast();
        }
    }
}

/// Room for a message that is put together (`NETLINK_MAX_FMTMSG_LEN`), its terminating zero included.
const MESSAGE: usize = bindings::NETLINK_MAX_FMTMSG_LEN as usize;

/// A C string being written.
struct Text {
    to: [u8; MESSAGE],
    at: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        for &byte in s.as_bytes() {
            match self.to.get_mut(self.at..) {
                Some([to, end, ..]) => {
                    [*to, *end] = [byte, 0];
                    self.at = self.at.wrapping_add(1);
                }
                _ => return Err(fmt::Error),
            }
        }
        Ok(())
    }
}

/// One attribute of a request.
///
/// # Invariants
///
/// Points to an attribute that was validated against a policy.
#[derive(Clone, Copy)]
pub struct Attribute<'a>(NonNull<bindings::nlattr>, PhantomData<&'a ()>);

impl<'a> Attribute<'a> {
    /// The payload.
    pub fn payload(&self) -> &'a [u8] {
        // SAFETY: By the type invariant; the message outlives `'a`.
        unsafe {
            slice::from_raw_parts(
                bindings::nla_data(self.0.as_ptr()).cast(),
                usize::from(bindings::nla_len(self.0.as_ptr())),
            )
        }
    }

    /// The first `N` bytes of the payload.
    fn array<const N: usize>(&self) -> Result<[u8; N]> {
        let b = self.payload().get(..N).ok_or(EINVAL)?;
        b.try_into().map_err(|_| EINVAL)
    }

    /// Its number, without flags.
    pub fn kind(&self) -> u16 {
        // SAFETY: By the type invariant.
        unsafe { (*self.0.as_ptr()).nla_type & bindings::NLA_TYPE_MASK as u16 }
    }

    /// The payload as an integer of 8 bits.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is too short, which a policy would have refused; so for all of these.
    pub fn u8(&self) -> Result<u8> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// The payload as an integer of 16 bits, host order.
    pub fn u16(&self) -> Result<u16> {
        Ok(u16::from_ne_bytes(self.array()?))
    }

    /// The payload as a signed integer of 32 bits, host order.
    pub fn s32(&self) -> Result<i32> {
        Ok(i32::from_ne_bytes(self.array()?))
    }

    /// The payload as an integer of 32 bits, host order.
    pub fn u32(&self) -> Result<u32> {
        Ok(u32::from_ne_bytes(self.array()?))
    }

    /// The payload as an integer of 32 or 64 bits (`NLA_UINT`), host order.
    pub fn uint(&self) -> Result<u64> {
        if self.payload().len() < 8 {
            return Ok(u64::from(self.u32()?));
        }
        Ok(u64::from_ne_bytes(self.array()?))
    }

    /// The payload as a string that ends with a zero byte (`NLA_NUL_STRING`).
    pub fn string(&self) -> Result<&'a CStr> {
        CStr::from_bytes_until_nul(self.payload()).map_err(|_| EINVAL)
    }

    /// A name: up to the first zero byte.
    pub fn bytes_until_nul(&self) -> &'a [u8] {
        let p = self.payload();
        let n = p.iter().position(|&b| b == 0).unwrap_or(p.len());
        p.get(..n).unwrap_or(&[])
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::nlattr {
        self.0.as_ptr()
    }
}

/// The attributes of a request by their type (`struct nlattr *tb[]`).
#[derive(Clone, Copy)]
pub struct Attributes<'a> {
    tb: *mut *mut bindings::nlattr,
    max: usize,
    _tb: PhantomData<&'a ()>,
}

impl<'a> Attributes<'a> {
    /// # Safety
    ///
    /// `tb` is NULL or has `max + 1` entries, each NULL or a validated attribute, for `'a`.
    pub(crate) unsafe fn from_raw(tb: *mut *mut bindings::nlattr, max: usize) -> Self {
        Attributes {
            tb,
            max,
            _tb: PhantomData,
        }
    }

    pub(crate) fn as_raw(&self) -> *mut *mut bindings::nlattr {
        self.tb
    }

    /// Attribute number `kind`, if it was sent.
    pub fn get(&self, kind: usize) -> Option<Attribute<'a>> {
        if self.tb.is_null() || kind > self.max {
            return None;
        }
        // SAFETY: Within the array, by the type's contract.
        let attr = unsafe { *self.tb.add(kind) };
        // INVARIANT: Validated by the one who filled the array.
        NonNull::new(attr).map(|a| Attribute(a, PhantomData))
    }
}
