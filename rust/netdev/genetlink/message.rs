// SPDX-License-Identifier: GPL-2.0

//! Messages being written. Whatever is not finished is taken back.

use super::{Context, Family};
use crate::errno::to_result;
use crate::netlink::{ExtAck, Writer};
use crate::rtnl::Net;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::prelude::*;
use netdev_sys as bindings;

/// A packet of its own with one message. Dropping it frees it.
pub(super) struct Buffer {
    skb: NonNull<bindings::sk_buff>,
    header: NonNull<c_void>,
}

impl Buffer {
    /// Allocates one, as large as a message without order-1 allocations may be, and begins the message.
    pub(super) fn new(
        family: *const bindings::genl_family,
        portid: u32,
        seq: u32,
        command: u8,
        flags: bindings::gfp_t,
    ) -> Result<Self> {
        // SAFETY: The caller may allocate with these flags.
        let skb = unsafe { bindings::netdev_genlmsg_new(flags) };
        let skb = NonNull::new(skb).ok_or(ENOMEM)?;
        // SAFETY: A fresh packet; the family is initialised and lives for ever.
        let header =
            unsafe { bindings::genlmsg_put(skb.as_ptr(), portid, seq, family, 0, command) };
        match NonNull::new(header) {
            Some(header) => Ok(Buffer { skb, header }),
            None => {
                // SAFETY: Ours.
                unsafe { bindings::nlmsg_free(skb.as_ptr()) };
                Err(EMSGSIZE)
            }
        }
    }

    pub(super) fn writer(&mut self) -> Writer<'_> {
        // SAFETY: Ours, and borrowed for as long as the writer lives.
        unsafe { Writer::from_raw(self.skb) }
    }

    /// Ends the message; the caller owns the packet.
    pub(super) fn finish(self) -> NonNull<bindings::sk_buff> {
        // SAFETY: `header` is that of the message in this packet.
        unsafe { bindings::genlmsg_end(self.skb.as_ptr(), self.header.as_ptr()) };
        let skb = self.skb;
        core::mem::forget(self);
        skb
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: Ours.
        unsafe { bindings::nlmsg_free(self.skb.as_ptr()) };
    }
}

/// The answer to a request. Dropping it sends nothing.
pub struct Reply<'a> {
    buffer: Buffer,
    info: NonNull<bindings::genl_info>,
    _info: PhantomData<&'a ()>,
}

impl<'a> Reply<'a> {
    /// # Safety
    ///
    /// `info` is valid for `'a`.
    pub(super) unsafe fn new(info: NonNull<bindings::genl_info>) -> Result<Self> {
        let raw = info.as_ptr();
        // SAFETY: Valid by the caller's promise, and the request with it.
        let (family, portid, seq, command) = unsafe {
            (
                (*raw).family,
                (*raw).snd_portid,
                (*raw).snd_seq,
                (*(*raw).genlhdr).cmd,
            )
        };
        Ok(Reply {
            buffer: Buffer::new(family, portid, seq, command, bindings::GFP_KERNEL)?,
            info,
            _info: PhantomData,
        })
    }

    /// Where attributes go.
    pub fn writer(&mut self) -> Writer<'_> {
        self.buffer.writer()
    }

    /// Sends it (`genlmsg_reply`).
    ///
    /// # Errors
    ///
    /// The sender is gone, or has no room for the answer.
    pub fn send(self) -> Result {
        let skb = self.buffer.finish();
        // SAFETY: `info` is valid by the promise to `new`; the packet is given away.
        to_result(unsafe { bindings::genlmsg_reply(skb.as_ptr(), self.info.as_ptr()) })
    }
}

/// A packet that the core wants filled with messages, as part of a dump.
pub struct Batch<'a, F: Family> {
    skb: NonNull<bindings::sk_buff>,
    cb: NonNull<bindings::netlink_callback>,
    context: Context<'a, F>,
}

impl<'a, F: Family> Batch<'a, F> {
    /// # Safety
    ///
    /// Both are what the core passes to `dumpit`, valid for `'a`.
    pub(super) unsafe fn from_raw(
        skb: NonNull<bindings::sk_buff>,
        cb: NonNull<bindings::netlink_callback>,
        context: Context<'a, F>,
    ) -> Self {
        Batch { skb, cb, context }
    }

    /// Says which generation of the things is dumped from now on; 0 counts as 1. If it is not that of the messages
    /// before, what follows is marked as interrupted (`NLM_F_DUMP_INTR`).
    ///
    /// Called in each batch, with the lock held that keeps the things from changing.
    pub fn generation(&mut self, generation: u64) {
        // SAFETY: Valid by the promise to `from_raw`. 0 means "none" to the core.
        unsafe { (*self.cb.as_ptr()).seq = (generation as u32).max(1) };
    }

    /// Begins a message (`genlmsg_put`).
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if the packet is full: to be returned by [`Dump::fill`](super::Dump::fill), which is called again
    /// with another one.
    pub fn message(&mut self) -> Result<Message<'_>> {
        let info = self.context.as_raw().as_ptr();
        // SAFETY: All valid by the promise to `from_raw`.
        let header = unsafe {
            bindings::genlmsg_put(
                self.skb.as_ptr(),
                (*info).snd_portid,
                (*info).snd_seq,
                (*info).family,
                bindings::NLM_F_MULTI as c_int,
                (*(*info).genlhdr).cmd,
            )
        };
        let header = NonNull::new(header).ok_or(EMSGSIZE)?;
        // SAFETY: The header was just put.
        unsafe { bindings::genl_dump_check_consistent(self.cb.as_ptr(), header.as_ptr()) };
        Ok(Message {
            skb: self.skb,
            header,
            _batch: PhantomData,
        })
    }

    /// The namespace of who asks.
    pub fn net(&self) -> &Net {
        self.context.net()
    }

    /// Where a refusal says why.
    pub fn extack(&self) -> ExtAck<'_> {
        self.context.extack()
    }
}

/// One message of a dump. Dropping it takes it out of the packet again.
pub struct Message<'a> {
    skb: NonNull<bindings::sk_buff>,
    header: NonNull<c_void>,
    _batch: PhantomData<&'a mut ()>,
}

impl Message<'_> {
    /// Where its attributes go.
    pub fn writer(&mut self) -> Writer<'_> {
        // SAFETY: The packet is borrowed for the message's life, and the message for the writer's.
        unsafe { Writer::from_raw(self.skb) }
    }

    /// Ends it (`genlmsg_end`).
    pub fn end(self) {
        // SAFETY: `header` is that of a message in this packet.
        unsafe { bindings::genlmsg_end(self.skb.as_ptr(), self.header.as_ptr()) };
        core::mem::forget(self);
    }
}

impl Drop for Message<'_> {
    fn drop(&mut self) {
        // SAFETY: As in `end`.
        unsafe { bindings::genlmsg_cancel(self.skb.as_ptr(), self.header.as_ptr()) };
    }
}
