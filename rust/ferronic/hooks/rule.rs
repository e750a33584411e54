// SPDX-License-Identifier: GPL-2.0

//! A rule on its way into a chain.

use kernel::prelude::*;
use netdev::skb::Reason;
use pure::rules::check::{Error as Unfit, Point};
use pure::rules::field::Fields;
use pure::rules::rule::{Action, Builder, Modifiers, Rule};
use pure::rules::term::Term;

/// A rule as its author wrote it.
pub(crate) struct NewRule {
    /// What a packet has to fulfil.
    pub(crate) terms: KVec<Term>,
    /// For which of those that do it acts.
    pub(crate) modifiers: Modifiers,
    /// What it does.
    pub(crate) action: Action,
    /// What it does besides.
    pub(crate) extra: Extra,
}

/// What the classifier need not know of a rule, in one word: bytes that an event shows, whether there is to be one, and
/// from bit 17 on the number of a drop reason, or 0.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Extra(u32);

impl Extra {
    const NOTIFY: u32 = 1 << 16;
    const REASON: u32 = 17;

    /// With an event each time the rule acts, that shows so many bytes of the packet, if that is wanted, and with a
    /// reason for what it drops. `None` if the reason's number is too large.
    pub(crate) fn new(snap: Option<u16>, reason: Option<Reason>) -> Option<Extra> {
        let notify = snap.map_or(0, |snap| Self::NOTIFY | u32::from(snap));
        let number = reason.map_or(0, |reason| u32::from(reason.number()));
        let shifted = number.wrapping_shl(Self::REASON);
        (shifted.wrapping_shr(Self::REASON) == number).then_some(Extra(notify | shifted))
    }

    /// Bytes to be shown in an event, if there is to be one.
    #[inline]
    pub(crate) fn snap(self) -> Option<u16> {
        (self.0 & Self::NOTIFY != 0).then_some(self.0 as u16)
    }

    /// The reason for what the rule drops, if it gives one.
    #[inline]
    pub(crate) fn reason(self) -> Option<Reason> {
        Reason::from_number(self.0.wrapping_shr(Self::REASON) as u16)
    }
}

/// Which part of a rule is wrong, and how.
pub(crate) struct Fault {
    /// The number of the term, if it is one.
    pub(crate) term: Option<usize>,
    pub(crate) unfit: Unfit,
}

impl NewRule {
    /// The fields that it looks at.
    pub(crate) fn fields(&self) -> Fields {
        let fields = self.terms.iter().map(|term| term.field);
        fields.fold(Fields::NONE, Fields::with)
    }

    /// Encodes it for a chain at `point`, if it makes sense there.
    pub(super) fn encode<R>(
        &self,
        point: Point,
        f: impl FnOnce(Rule<'_>) -> Result<R>,
    ) -> core::result::Result<Result<R>, Fault> {
        let other = |unfit| Fault { term: None, unfit };
        let mut builder = Builder::new(point);
        for (n, term) in self.terms.iter().enumerate() {
            builder.term(term).map_err(|unfit| Fault {
                term: Some(n),
                unfit,
            })?;
        }
        builder.modifiers(&self.modifiers).map_err(other)?;
        builder.action(&self.action).map_err(other)?;
        Ok(f(builder.finish().map_err(other)?))
    }
}
