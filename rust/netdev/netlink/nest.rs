// SPDX-License-Identifier: GPL-2.0

//! Attributes within attributes, and attributes that come more than once.
//!
//! A generator makes a structure of what an attribute holds, an [`Item`], and reads it in one pass: no table of
//! pointers by number, for a message may hold hundreds of items.

use super::{Attribute, ExtAck};
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::prelude::*;

/// Bytes of an attribute's header, and what attributes are aligned to.
const HEADER: usize = 4;

/// Attributes one behind the other, as a policy has passed them.
#[derive(Clone)]
pub struct Walk<'a>(&'a [u8]);

impl<'a> Walk<'a> {
    /// # Safety
    ///
    /// `attributes` lies in a message and begins where an attribute does; all of them have been validated.
    pub(crate) unsafe fn new(attributes: &'a [u8]) -> Self {
        Walk(attributes)
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let &[a, b, ..] = self.0.first_chunk::<HEADER>()?;
        let len = usize::from(u16::from_ne_bytes([a, b]));
        if len < HEADER || len > self.0.len() {
            return None;
        }
        let at = NonNull::from(self.0).cast();
        let next = len.next_multiple_of(HEADER);
        self.0 = self.0.get(next..).unwrap_or(&[]);
        // INVARIANT: Validated by the promise to `new`; header and content are there, as just seen.
        Some(Attribute(at, PhantomData))
    }
}

impl<'a> Attribute<'a> {
    /// The attributes within it.
    pub fn attributes(&self) -> Walk<'a> {
        // SAFETY: By the type invariant, with what it holds.
        unsafe { Walk::new(self.payload()) }
    }

    /// The last attribute of that number within it: slower than an [`Item`], for refusals.
    pub fn find(&self, kind: u16) -> Option<Attribute<'a>> {
        self.attributes().filter(|a| a.kind() == kind).last()
    }

    /// Those attributes of that number within it that are items of their own.
    pub fn nests<T: Item<'a>>(&self, kind: u16, extack: ExtAck<'a>) -> Nests<'a, T> {
        Nests::new(self.attributes(), kind, extack)
    }
}

/// What an attribute that holds attributes becomes.
pub trait Item<'a>: Sized {
    /// Reads what is within `nest`, which a policy has passed.
    ///
    /// # Errors
    ///
    /// `EINVAL` if something is there twice that may not be; `extack` was told then.
    fn parse(nest: Attribute<'a>, extack: &ExtAck<'a>) -> Result<Self>;

    /// The attribute it was read from.
    fn nest(&self) -> Attribute<'a>;
}

/// The items that one number stands for, in the order of the message.
pub struct Nests<'a, T> {
    rest: Walk<'a>,
    kind: u16,
    extack: ExtAck<'a>,
    _item: PhantomData<fn() -> T>,
}

impl<'a, T> Nests<'a, T> {
    pub(crate) fn new(attributes: Walk<'a>, kind: u16, extack: ExtAck<'a>) -> Self {
        Nests {
            rest: attributes,
            kind,
            extack,
            _item: PhantomData,
        }
    }
}

impl<'a, T: Item<'a>> Iterator for Nests<'a, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let kind = self.kind;
        let nest = self.rest.find(|a| a.kind() == kind)?;
        Some(T::parse(nest, &self.extack))
    }
}

/// Stores what an attribute says, unless one of the same number was there before.
///
/// # Errors
///
/// `EINVAL`, and `extack` points to the second one.
pub fn once<T>(
    slot: &mut Option<T>,
    value: T,
    attribute: &Attribute<'_>,
    extack: &ExtAck<'_>,
) -> Result {
    if slot.replace(value).is_some() {
        extack.attribute(TWICE, attribute);
        return Err(EINVAL);
    }
    Ok(())
}

/// What is said of an attribute that came more than once.
pub(crate) const TWICE: &CStr = c"This attribute came more than once";
