// SPDX-License-Identifier: GPL-2.0

//! Putting attributes into a message.

use crate::errno::to_result;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use kernel::prelude::*;
use netdev_sys as bindings;

/// Bytes that a function writes where they go, so that they need not lie elsewhere before.
#[derive(Clone, Copy)]
pub struct Fill<'a> {
    /// How many.
    pub len: usize,
    /// Writes them; what it leaves is zero.
    pub with: &'a dyn Fn(&mut [u8]),
}

/// Where attributes go: the end of a message that is being written, or of an attribute in it.
///
/// Nothing is ever written beyond the message's buffer, whatever the order of calls.
///
/// # Errors
///
/// All methods fail with `EMSGSIZE` where there is no room, and have written nothing then.
///
/// # Invariants
///
/// Points to a packet that is being written and lives for `'a`.
pub struct Writer<'a>(NonNull<bindings::sk_buff>, PhantomData<&'a mut ()>);

impl<'a> Writer<'a> {
    /// # Safety
    ///
    /// `skb` is a netlink message that is being written, lives for `'a`, and is used by nobody else meanwhile but
    /// through this value and the one that makes it.
    pub(crate) unsafe fn from_raw(skb: NonNull<bindings::sk_buff>) -> Self {
        // INVARIANT: By the caller's promise.
        Writer(skb, PhantomData)
    }

    /// Puts an attribute of these bytes.
    pub fn bytes(&mut self, kind: u16, value: &[u8]) -> Result {
        // Longer ones fit into no message.
        let len = c_int::try_from(value.len()).map_err(|_| EMSGSIZE)?;
        // SAFETY: The packet is valid by the type invariant, the value for reading `len` bytes.
        to_result(unsafe {
            bindings::nla_put(
                self.0.as_ptr(),
                c_int::from(kind),
                len,
                value.as_ptr().cast(),
            )
        })
    }

    /// Puts an attribute of so many bytes, which a function fills.
    pub fn fill(&mut self, kind: u16, value: Fill<'_>) -> Result {
        let len = c_int::try_from(value.len).map_err(|_| EMSGSIZE)?;
        // SAFETY: The packet is valid by the type invariant.
        let attribute = unsafe { bindings::nla_reserve(self.0.as_ptr(), c_int::from(kind), len) };
        if attribute.is_null() {
            return Err(EMSGSIZE);
        }
        // SAFETY: The attribute's payload, behind its header, is `len` bytes long, and nobody else writes it. What is
        // there was not written yet, so it is now.
        let room = unsafe {
            let data = attribute.add(1).cast::<u8>();
            data.write_bytes(0, value.len);
            core::slice::from_raw_parts_mut(data, value.len)
        };
        (value.with)(room);
        Ok(())
    }

    /// Puts an integer of 8 bits.
    pub fn u8(&mut self, kind: u16, value: u8) -> Result {
        self.bytes(kind, &[value])
    }

    /// Puts an integer of 16 bits.
    pub fn u16(&mut self, kind: u16, value: u16) -> Result {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Puts an integer of 32 bits.
    pub fn u32(&mut self, kind: u16, value: u32) -> Result {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Puts a signed integer of 32 bits.
    pub fn s32(&mut self, kind: u16, value: i32) -> Result {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Puts an integer, in 32 bits if it fits and in 64 otherwise (`nla_put_uint`).
    pub fn uint(&mut self, kind: u16, value: u64) -> Result {
        match u32::try_from(value) {
            Ok(v) => self.u32(kind, v),
            Err(_) => self.bytes(kind, &value.to_ne_bytes()),
        }
    }

    /// Puts a string, with the zero byte at its end.
    pub fn string(&mut self, kind: u16, value: &CStr) -> Result {
        self.bytes(kind, value.to_bytes_with_nul())
    }

    /// Puts an attribute without content.
    pub fn flag(&mut self, kind: u16) -> Result {
        self.bytes(kind, &[])
    }

    /// Begins an attribute that holds attributes. It is there once [`Nest::end`] is called.
    pub fn nest(&mut self, kind: u16) -> Result<Nest<'_>> {
        // SAFETY: The packet is valid by the type invariant.
        let start = unsafe { bindings::nla_nest_start(self.0.as_ptr(), c_int::from(kind)) };
        Ok(Nest {
            start: NonNull::new(start).ok_or(EMSGSIZE)?,
            skb: self.0,
            writer: Writer(self.0, PhantomData),
        })
    }
}

/// An attribute that holds attributes, being written. Dropping it takes it out of the message again.
pub struct Nest<'a> {
    start: NonNull<bindings::nlattr>,
    /// The packet `start` is in, whatever becomes of `writer`.
    skb: NonNull<bindings::sk_buff>,
    writer: Writer<'a>,
}

impl Nest<'_> {
    /// Ends it (`nla_nest_end`).
    pub fn end(self) {
        // SAFETY: `start` lies in this packet's buffer, which is never reallocated while it is written.
        unsafe { bindings::nla_nest_end(self.skb.as_ptr(), self.start.as_ptr()) };
        core::mem::forget(self);
    }
}

impl<'a> Deref for Nest<'a> {
    type Target = Writer<'a>;
    fn deref(&self) -> &Writer<'a> {
        &self.writer
    }
}

impl<'a> DerefMut for Nest<'a> {
    fn deref_mut(&mut self) -> &mut Writer<'a> {
        &mut self.writer
    }
}

impl Drop for Nest<'_> {
    fn drop(&mut self) {
        // SAFETY: As in `end`.
        unsafe { bindings::nla_nest_cancel(self.skb.as_ptr(), self.start.as_ptr()) };
    }
}
