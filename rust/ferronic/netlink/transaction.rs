// SPDX-License-Identifier: GPL-2.0

//! `transaction-begin`, `-add`, `-commit`, `-abort`: changes that do not fit into one message, made together.
//!
//! A transaction belongs to the socket that began it, of which it keeps a [`Sender`], and is dropped with it. What it
//! carries is a list for each kind of change ([`Changes`]); another kind is another field of [`Transaction`] and
//! another attribute in the specification.
//!
//! # All or nothing
//!
//! Adding looks at messages, committing at the state: it checks everything first, with the locks held that keep it so,
//! and changes nothing before it knows that all of it can be done. Kinds have locks of their own, so they are nested:
//! each prepares, takes its lock, and calls the next; when the innermost has prepared, it makes its changes and
//! returns, and the others do so on the way back. What a kind does after `then` cannot fail. RTNL, which several may
//! need, is taken before all.
//!
//! # Bounds
//!
//! [`OPEN_MAX`] transactions of a namespace, and of each [`CHANGES_MAX`] changes and [`BYTES_MAX`] bytes. The memory is
//! accounted to who sends.

use super::chain::{self, HookChanges};
use super::generated::{
    Ferronic, TransactionAbortDo, TransactionAbortDoRequest, TransactionAddDo,
    TransactionAddDoRequest, TransactionBeginDo, TransactionBeginDoRequest, TransactionBeginReply,
    TransactionCommitDo, TransactionCommitDoRequest,
};
use super::port::{lock, PortChanges};
use super::wire::WireChanges;
use crate::hooks::Change;
use kernel::prelude::*;
use kernel::sync::{static_lock_class, LockClassKey};
use netdev::genetlink::{Context, Do, Sender, Watch};
use netdev::namespace::{PerNet, Place, Slot};
use netdev::netlink::{Item, Nests};
use netdev::rtnl::{Net, Rtnl, RtnlGuard};

/// Transactions that a namespace may have open.
const OPEN_MAX: usize = 16;

/// Changes that a transaction may have.
const CHANGES_MAX: usize = 1 << 18;

/// Bytes that they may take.
const BYTES_MAX: usize = 128 << 20;

/// Why a change cannot be made.
pub(super) struct Refusal {
    /// Number of the attribute that says the wrong thing.
    kind: u16,
    msg: &'static CStr,
    error: Error,
}

impl Refusal {
    pub(super) fn new(kind: u16, msg: &'static CStr, error: Error) -> Self {
        Refusal { kind, msg, error }
    }

    /// Tells it of a request that is the change.
    pub(super) fn tell(self, context: &Context<'_, Ferronic>) -> Error {
        context.refuse(self.kind, self.msg, self.error)
    }

    /// Tells it of a transaction: of the change with that number among those of a kind, from 1 on.
    pub(super) fn tell_of(
        self,
        what: &CStr,
        number: usize,
        context: &Context<'_, Ferronic>,
    ) -> Error {
        let number = number.wrapping_add(1);
        context
            .extack()
            .format(fmt!("{what} {number}: {}", self.msg));
        self.error
    }
}

/// The changes of one kind that a transaction carries, to be made.
pub(super) trait Commit: Default + Send {
    /// Whether it takes RTNL.
    fn needs_rtnl(&self) -> bool {
        false
    }

    /// Makes all of them, or none. Process context; may sleep. `rtnl` is there if any kind needs it.
    ///
    /// Calls `then` when nothing can fail any more, with whatever lock keeps it so, and makes the changes if that
    /// succeeds.
    ///
    /// # Errors
    ///
    /// What the sender gets. Nothing has changed then.
    fn commit(
        self,
        context: &Context<'_, Ferronic>,
        rtnl: Option<&Rtnl>,
        then: impl FnOnce() -> Result,
    ) -> Result;
}

/// Those of a kind that `transaction-add` adds.
pub(super) trait Changes: Commit {
    /// What says one in a message.
    type Item<'a>: Item<'a>;

    /// Bytes that one takes at least.
    const BYTES: usize;

    /// How many there are.
    fn len(&self) -> usize;

    /// Forgets those from number `len` on.
    fn truncate(&mut self, len: usize);

    /// Takes in one more; returns how many bytes it takes beyond [`BYTES`](Self::BYTES). Process context; may sleep.
    ///
    /// # Errors
    ///
    /// What the sender gets; the item must not have been taken in.
    fn add(&mut self, item: Self::Item<'_>, context: &Context<'_, Ferronic>) -> Result<usize>;
}

/// What a transaction carries.
#[derive(Default)]
struct Transaction {
    ports: PortChanges,
    wires: WireChanges,
    hooks: HookChanges,
    changes: usize,
    bytes: usize,
}

const FULL: &CStr = c"The transaction has all it may hold";

/// Takes in what a message says of one kind.
fn take<'a, C: Changes>(
    changes: &mut C,
    items: Nests<'a, C::Item<'a>>,
    count: &mut usize,
    bytes: &mut usize,
    context: &Context<'_, Ferronic>,
) -> Result {
    for item in items {
        let item = item?;
        let at = item.nest();
        let more = changes.add(item, context)?;
        *count = count.saturating_add(1);
        *bytes = bytes.saturating_add(C::BYTES).saturating_add(more);
        if *count > CHANGES_MAX || *bytes > BYTES_MAX {
            context.extack().attribute(FULL, &at);
            return Err(E2BIG);
        }
    }
    Ok(())
}

impl Transaction {
    /// Takes in all that a message says, or nothing.
    fn add(
        &mut self,
        request: TransactionAddDoRequest<'_>,
        context: &Context<'_, Ferronic>,
    ) -> Result {
        let (ports, wires) = (self.ports.len(), self.wires.len());
        let (mut count, mut bytes) = (self.changes, self.bytes);
        let taken = take(
            &mut self.ports,
            request.port,
            &mut count,
            &mut bytes,
            context,
        )
        .and_then(|()| {
            take(
                &mut self.wires,
                request.wire,
                &mut count,
                &mut bytes,
                context,
            )
        });
        if let Err(e) = taken {
            self.ports.truncate(ports);
            self.wires.truncate(wires);
            return Err(e);
        }
        (self.changes, self.bytes) = (count, bytes);
        Ok(())
    }

    /// Takes in a change of a chain or a rule.
    fn push(&mut self, change: Change, context: &Context<'_, Ferronic>) -> Result {
        if self.changes >= CHANGES_MAX || self.bytes >= BYTES_MAX {
            context.extack().message(FULL);
            return Err(E2BIG);
        }
        let bytes = self.hooks.add(change)?;
        self.changes = self.changes.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// Makes all changes, or none. The order is that of locking: RTNL, chains, ports.
    fn commit(self, context: &Context<'_, Ferronic>) -> Result {
        let Transaction {
            ports,
            wires,
            hooks,
            ..
        } = self;
        let needed = wires.needs_rtnl() || hooks.needs_rtnl() || ports.needs_rtnl();
        let guard = needed.then(RtnlGuard::lock);
        let rtnl = guard.as_deref();
        wires.commit(context, rtnl, || {
            hooks.commit(context, rtnl, || ports.commit(context, rtnl, || Ok(())))
        })
    }
}

/// The transactions of a namespace.
pub(super) struct Transactions(KVec<(Sender, Transaction)>);

pub(super) static TRANSACTIONS: Slot<Transactions> = Slot::new();

impl PerNet for Transactions {
    const PLACE: Place<Self> = Place::of(&TRANSACTIONS);

    fn lock_class() -> Pin<&'static LockClassKey> {
        static_lock_class!()
    }

    fn new() -> Result<Self> {
        Ok(Transactions(KVec::new()))
    }
}

impl Watch for Transactions {
    fn released(net: &Net) {
        let Some(list) = TRANSACTIONS.get(net) else {
            return;
        };
        // One after the other, so that large ones are freed without the lock.
        while let Some(gone) = list.with(|list, _| list.remove(Sender::is_gone)).flatten() {
            drop(gone);
        }
    }
}

impl Transactions {
    /// Takes out the first whose sender is such a one.
    fn remove(&mut self, mut such: impl FnMut(&Sender) -> bool) -> Option<(Sender, Transaction)> {
        let at = self.0.iter().position(|(sender, _)| such(sender))?;
        self.0.remove(at).ok()
    }

    /// That of a sender.
    fn of(&mut self, sender: &Sender) -> Option<&mut Transaction> {
        let found = self.0.iter_mut().find(|(s, _)| s == sender);
        found.map(|(_, transaction)| transaction)
    }

    /// Lets `f` work on those of the namespace of who asks.
    fn with<R>(
        context: &Context<'_, Ferronic>,
        f: impl FnOnce(&mut Transactions) -> Result<R>,
    ) -> Result<R> {
        let list = TRANSACTIONS.get(context.net()).ok_or(ENODEV)?;
        list.with(|list, _| f(list)).ok_or(ENODEV)?
    }

    /// Takes out that of who asks.
    fn end(context: &Context<'_, Ferronic>) -> Result<Transaction> {
        let sender = context.sender();
        let found = Self::with(context, |list| Ok(list.remove(|s| *s == sender)))?;
        found.map(|(_, t)| t).ok_or_else(|| none(context))
    }
}

/// There is none to work on.
fn none(context: &Context<'_, Ferronic>) -> Error {
    context
        .extack()
        .message(c"This socket has no transaction: begin one");
    ENOENT
}

/// Adds a change of a chain or a rule to the transaction of who asks.
pub(super) fn push(context: &Context<'_, Ferronic>, change: Change) -> Result {
    let sender = context.sender();
    Transactions::with(context, |list| match list.of(&sender) {
        Some(transaction) => transaction.push(change, context),
        None => Err(none(context)),
    })
}

impl Do for TransactionBeginDo {
    fn run(_: TransactionBeginDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let mut reply = context.reply()?;
        TransactionBeginReply {
            generation: Some(lock(context, |ports| Ok(ports.generation))?),
            chain_generation: Some(chain::lock(context, |table, _| Ok(table.generation))?),
        }
        .put(&mut reply.writer())?;
        let sender = context.sender();
        Transactions::with(context, |list| {
            if list.0.iter().any(|(s, _)| *s == sender) {
                let msg = c"This socket has a transaction: commit or abort it";
                context.extack().message(msg);
                return Err(EBUSY);
            }
            if list.0.len() >= OPEN_MAX {
                let msg = c"The namespace has all the transactions it may have";
                context.extack().message(msg);
                return Err(ENOSPC);
            }
            let begun = (sender, Transaction::default());
            Ok(list.0.push(begun, GFP_KERNEL_ACCOUNT)?)
        })?;
        // If the answer cannot be sent, the sender knows of no transaction.
        reply
            .send()
            .inspect_err(|_| drop(Transactions::end(context)))
    }
}

impl Do for TransactionAddDo {
    fn run(request: TransactionAddDoRequest<'_>, context: &Context<'_, Ferronic>) -> Result {
        let sender = context.sender();
        Transactions::with(context, |list| match list.of(&sender) {
            Some(transaction) => transaction.add(request, context),
            None => Err(none(context)),
        })
    }
}

impl Do for TransactionCommitDo {
    fn run(request: TransactionCommitDoRequest, context: &Context<'_, Ferronic>) -> Result {
        let mut all = Transactions::end(context)?;
        all.ports.generation = request.generation;
        all.hooks.generation = request.chain_generation;
        all.commit(context)
    }
}

impl Do for TransactionAbortDo {
    fn run(_: TransactionAbortDoRequest, context: &Context<'_, Ferronic>) -> Result {
        Transactions::end(context).map(drop)
    }
}
