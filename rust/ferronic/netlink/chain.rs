// SPDX-License-Identifier: GPL-2.0

//! `chain-get`, `chain-add`, `chain-set`, `chain-del`.

use super::generated::{
    chain, rule, transaction, ChainAddDo, ChainAddDoRequest, ChainDelDo, ChainDelDoRequest,
    ChainFamily, ChainGetDo, ChainGetDoRequest, ChainGetDump, ChainGetDumpRequest, ChainGetReply,
    ChainPolicy, ChainSetDo, ChainSetDoRequest, Ferronic, Hook,
};
use super::transaction::{self as together, Commit, Refusal as TransactionRefusal};
use crate::hooks::{
    apply, ChainView, Change, Name, NewChain, Policy, Refusal, Site, Table, Wrong, HOOKS,
};
use kernel::prelude::*;
use netdev::errno::ESTALE;
use netdev::genetlink::{Batch, Context, Do, Dump};
use netdev::netfilter::{Direction, Inet, Protocol};
use netdev::rtnl::{Net, Rtnl, RtnlGuard};
use pure::rules::check::{Subject, Why};

/// Locks the chains of the namespace of who asks.
pub(super) fn lock<R>(
    context: &Context<'_, Ferronic>,
    f: impl FnOnce(&mut Table, &Net) -> Result<R>,
) -> Result<R> {
    HOOKS
        .get(context.net())
        .ok_or(ENODEV)?
        .with(f)
        .ok_or(ENODEV)?
}

/// Whether a change is asked for by a command of rules; the others are asked for by those of chains.
fn is_of_rule(change: &Change) -> bool {
    matches!(
        change,
        Change::AddRule(..)
            | Change::ReplaceRule(..)
            | Change::DeleteRule(..)
            | Change::Reset(..)
            | Change::Flush(_)
    )
}

/// Makes one change, and says why not if that fails.
pub(super) fn change(
    context: &Context<'_, Ferronic>,
    table: &mut Table,
    net: &Net,
    change: Change,
    rtnl: Option<&Rtnl>,
) -> Result {
    let of_rule = is_of_rule(&change);
    let place = match &change {
        Change::AddRule(_, crate::hooks::Place::Before(_), _) => rule::BEFORE,
        _ => rule::HANDLE,
    };
    apply(table, net, &[change], rtnl, || Ok(())).map_err(|(_, refusal)| {
        let name = if of_rule { rule::CHAIN } else { chain::NAME };
        refuse(context, &refusal, name, place)
    })
}

/// Why a change was refused. `name` is the attribute with the chain's name, `place` that with a rule's handle. `None`
/// for what is not said of an attribute.
fn why(refusal: &Refusal, name: u16, place: u16) -> Option<(u16, &'static CStr)> {
    Some(match refusal.wrong {
        Wrong::Chain => (name, c"There is no chain of that name"),
        Wrong::Exists => (name, c"There is a chain of that name already"),
        Wrong::Chains => (name, c"The namespace has as many chains as it may have"),
        Wrong::Device => (chain::IFINDEX, c"No such device, or it is going"),
        Wrong::Hook => (chain::HOOK, c"Netfilter refused the hook"),
        Wrong::Handle => (place, c"The chain has no rule of that handle"),
        Wrong::Position => (rule::POSITION, c"The chain has fewer rules"),
        Wrong::Steps => (
            rule::HANDLE,
            c"Changes too far apart in so many rules: split the transaction",
        ),
        Wrong::Rule(_, unfit) => (rule::TERM, sentence(unfit.why, unfit.subject)),
        Wrong::Other if refusal.error == E2BIG => {
            (rule::TERM, c"Too many rules, or rules of too many shapes")
        }
        Wrong::Other => return None,
    })
}

/// Says why a change was refused.
fn refuse(context: &Context<'_, Ferronic>, refusal: &Refusal, name: u16, place: u16) -> Error {
    if let Wrong::Rule(term, unfit) = refusal.wrong {
        return super::rule::refuse(context, term, &unfit);
    }
    match why(refusal, name, place) {
        Some((kind, text)) => context.refuse(kind, text, refusal.error),
        None => refusal.error,
    }
}

/// Changes of chains and rules, in a transaction, and the generation that the chains must be of.
#[derive(Default)]
pub(super) struct HookChanges {
    changes: KVVec<Change>,
    pub(super) generation: Option<u64>,
}

impl HookChanges {
    /// Takes in one more; returns how many bytes it takes.
    pub(super) fn add(&mut self, change: Change) -> Result<usize> {
        let terms = match &change {
            Change::AddRule(_, _, new) | Change::ReplaceRule(_, _, new) => new.terms.capacity(),
            _ => 0,
        };
        self.changes.push(change, GFP_KERNEL_ACCOUNT)?;
        Ok(terms
            .saturating_mul(size_of::<pure::rules::term::Term>())
            .saturating_add(size_of::<Change>()))
    }
}

impl Commit for HookChanges {
    fn needs_rtnl(&self) -> bool {
        let at_devices = |change: &Change| match change {
            Change::AddChain(new) => new.site.needs_rtnl(),
            _ => false,
        };
        self.changes.iter().any(at_devices)
    }

    fn commit(
        self,
        context: &Context<'_, Ferronic>,
        rtnl: Option<&Rtnl>,
        then: impl FnOnce() -> Result,
    ) -> Result {
        if self.changes.is_empty() && self.generation.is_none() {
            return then();
        }
        lock(context, |table, net| {
            if self.generation.is_some_and(|g| g != table.generation) {
                return Err(context.refuse(
                    transaction::CHAIN_GENERATION,
                    c"The chains have changed since",
                    ESTALE(),
                ));
            }
            apply(table, net, &self.changes, rtnl, then).map_err(|(at, refusal)| {
                let Some(change) = self.changes.get(at) else {
                    // What came behind says why itself.
                    return refusal.error;
                };
                let what = if is_of_rule(change) {
                    c"rule"
                } else {
                    c"chain"
                };
                if let Some((kind, text)) = why(&refusal, 0, 0) {
                    TransactionRefusal::new(kind, text, refusal.error).tell_of(what, at, context);
                }
                refusal.error
            })
        })
    }
}

/// What is wrong with a part of a rule, in a sentence.
pub(super) fn sentence(why: Why, subject: Subject) -> &'static CStr {
    match (why, subject) {
        (Why::OutOfRange, Subject::Field(_)) => {
            c"The number does not fit the field, or has bits outside its mask or prefix"
        }
        (Why::OutOfRange, _) => c"The number is too large or too small",
        (Why::Contradicts(_), Subject::Field(_)) => {
            c"No packet fulfils this term together with the others"
        }
        (Why::Contradicts(_), _) => c"This contradicts another part of the rule",
        (Why::WrongHook, Subject::Field(_)) => c"Packets have no such field at this hook",
        (Why::WrongHook, _) => c"This cannot be done at this hook",
        (Why::TooLong, _) => c"The rule has too many terms",
    }
}

/// The name that a request has to have.
pub(super) fn name_of(
    name: Option<&CStr>,
    kind: u16,
    context: &Context<'_, Ferronic>,
) -> Result<Name> {
    let Some(name) = name else {
        return Err(context.missing(kind, c"Which chain? It needs a name"));
    };
    let name = Name::new(name);
    if name.is_empty() {
        return Err(context.refuse(kind, c"A name has at least one byte", EINVAL));
    }
    // Clients decode text as ASCII (YNL's fail on anything else), and terminals obey control characters.
    let text = name.as_cstr().to_bytes_with_nul();
    if !text.iter().all(|b| *b == 0 || b.is_ascii_graphic()) {
        return Err(context.refuse(
            kind,
            c"A name is made of printable ASCII characters, without spaces",
            EINVAL,
        ));
    }
    Ok(name)
}

fn policy_of(policy: ChainPolicy) -> Policy {
    match policy {
        ChainPolicy::Accept => Policy::Accept,
        ChainPolicy::Drop => Policy::Drop,
    }
}

pub(super) fn put(
    view: &ChainView<'_>,
    generation: u64,
    w: impl FnOnce(&ChainGetReply<'_>) -> Result,
) -> Result {
    let at = |direction| match direction {
        Direction::Ingress => Hook::Ingress,
        Direction::Egress => Hook::Egress,
    };
    let (family, hook, ifindex) = match view.site {
        Site::Inet(protocol, point) => (
            match protocol {
                Protocol::Ipv4 => ChainFamily::Ip,
                Protocol::Ipv6 => ChainFamily::Ip6,
                Protocol::Both => ChainFamily::Inet,
            },
            match point {
                Inet::PreRouting => Hook::Prerouting,
                Inet::LocalIn => Hook::Input,
                Inet::Forward => Hook::Forward,
                Inet::LocalOut => Hook::Output,
                Inet::PostRouting => Hook::Postrouting,
            },
            None,
        ),
        Site::Device(direction, ifindex) => (ChainFamily::Netdev, at(direction), Some(ifindex)),
        Site::Devices(direction) => (ChainFamily::Netdev, at(direction), None),
    };
    w(&ChainGetReply {
        name: Some(view.name),
        generation: Some(generation),
        family: Some(family),
        hook: Some(hook),
        priority: Some(view.priority),
        ifindex,
        any_device: matches!(view.site, Site::Devices(_)),
        devices: Some(view.devices).filter(|_| view.site.needs_rtnl()),
        missed: Some(view.missed).filter(|_| view.site.needs_rtnl()),
        policy: Some(match view.policy {
            Policy::Accept => ChainPolicy::Accept,
            Policy::Drop => ChainPolicy::Drop,
        }),
        rules: Some(view.rules),
        shapes: Some(view.shapes),
        packets: Some(view.counts.packets),
        bytes: Some(view.counts.bytes),
        held: Some(view.held),
        overflows: Some(view.overflows),
        unheld: Some(view.unheld),
        uncut: Some(view.uncut),
        lost: Some(view.lost),
        memory: Some(view.memory),
        counter_memory: Some(view.counter_memory),
    })
}

impl Do for ChainGetDo {
    fn run(request: ChainGetDoRequest<'_>, context: &Context<'_, Ferronic>) -> Result {
        let name = name_of(request.name, chain::NAME, context)?;
        let mut reply = context.reply()?;
        lock(context, |table, _| {
            let view = table
                .position(name.as_cstr())
                .and_then(|at| table.chain_at(at))
                .ok_or_else(|| {
                    context.refuse(chain::NAME, c"There is no chain of that name", ENOENT)
                })?;
            put(&view, table.generation, |r| r.put(&mut reply.writer()))
        })?;
        reply.send()
    }
}

impl Dump for ChainGetDump {
    /// Place of the next chain.
    type State = usize;

    fn start(_: ChainGetDumpRequest, _: &Context<'_, Ferronic>) -> Result<usize> {
        Ok(0)
    }

    fn fill(at: &mut usize, batch: &mut Batch<'_, Ferronic>) -> Result {
        HOOKS
            .get(batch.net())
            .ok_or(ENODEV)?
            .with(|table, _| {
                batch.generation(table.generation);
                while let Some(view) = table.chain_at(*at) {
                    let mut message = batch.message()?;
                    put(&view, table.generation, |r| r.put(&mut message.writer()))?;
                    message.end();
                    *at = at.saturating_add(1);
                }
                Ok(())
            })
            .unwrap_or(Ok(()))
    }
}

/// Where a new chain is to be.
fn site_of(request: &ChainAddDoRequest<'_>, context: &Context<'_, Ferronic>) -> Result<Site> {
    let Some(hook) = request.hook else {
        return Err(context.missing(chain::HOOK, c"At which hook?"));
    };
    let inet = match hook {
        Hook::Prerouting => Some(Inet::PreRouting),
        Hook::Input => Some(Inet::LocalIn),
        Hook::Forward => Some(Inet::Forward),
        Hook::Output => Some(Inet::LocalOut),
        Hook::Postrouting => Some(Inet::PostRouting),
        Hook::Ingress | Hook::Egress => None,
    };
    let protocol = match (request.family, inet) {
        (None, Some(_)) | (Some(ChainFamily::Inet), _) => Some(Protocol::Both),
        (Some(ChainFamily::Ip), _) => Some(Protocol::Ipv4),
        (Some(ChainFamily::Ip6), _) => Some(Protocol::Ipv6),
        (None, None) | (Some(ChainFamily::Netdev), _) => None,
    };
    let direction = match hook {
        Hook::Egress => Direction::Egress,
        _ => Direction::Ingress,
    };
    if request.any_device {
        return match (protocol, inet, request.ifindex) {
            (None, None, None) => Ok(Site::Devices(direction)),
            (_, _, Some(_)) => Err(context.refuse(
                chain::ANY_DEVICE,
                c"A chain is at one device or at all, not both",
                EINVAL,
            )),
            _ => Err(context.refuse(
                chain::ANY_DEVICE,
                c"Only chains at ingress and egress are at devices; others see them all",
                EINVAL,
            )),
        };
    }
    match (protocol, inet, request.ifindex) {
        (Some(protocol), Some(point), None) => Ok(Site::Inet(protocol, point)),
        (Some(_), Some(_), Some(_)) => Err(context.refuse(
            chain::IFINDEX,
            c"Only chains at ingress and egress are at a device; others match it",
            EINVAL,
        )),
        (None, None, Some(ifindex)) => Ok(Site::Device(direction, ifindex)),
        (None, None, None) => {
            Err(context.missing(chain::IFINDEX, c"At which device? Or at any device?"))
        }
        _ => Err(context.refuse(
            chain::FAMILY,
            c"The family netdev has the hooks ingress and egress, the others have not",
            EINVAL,
        )),
    }
}

impl Do for ChainAddDo {
    fn run(request: ChainAddDoRequest<'_>, context: &Context<'_, Ferronic>) -> Result {
        let new = NewChain {
            name: name_of(request.name, chain::NAME, context)?,
            site: site_of(&request, context)?,
            priority: request.priority.unwrap_or(0),
            policy: request.policy.map_or(Policy::Accept, policy_of),
        };
        if request.transaction {
            return together::push(context, Change::AddChain(new));
        }
        // RTNL comes before the lock of the chains.
        let rtnl = new.site.needs_rtnl().then(RtnlGuard::lock);
        lock(context, |table, net| {
            change(context, table, net, Change::AddChain(new), rtnl.as_deref())
        })
    }
}

impl Do for ChainSetDo {
    fn run(request: ChainSetDoRequest<'_>, context: &Context<'_, Ferronic>) -> Result {
        let name = name_of(request.name, chain::NAME, context)?;
        let Some(policy) = request.policy else {
            return Err(context.missing(chain::POLICY, c"Which policy?"));
        };
        let set = Change::SetPolicy(name, policy_of(policy));
        if request.transaction {
            return together::push(context, set);
        }
        lock(context, |table, net| change(context, table, net, set, None))
    }
}

impl Do for ChainDelDo {
    fn run(request: ChainDelDoRequest<'_>, context: &Context<'_, Ferronic>) -> Result {
        let name = name_of(request.name, chain::NAME, context)?;
        let delete = Change::DeleteChain(name);
        if request.transaction {
            return together::push(context, delete);
        }
        lock(context, |table, net| {
            change(context, table, net, delete, None)
        })
    }
}
