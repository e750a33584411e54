// SPDX-License-Identifier: GPL-2.0

//! `rule-get`, `rule-add`, `rule-replace`, `rule-del`, `rule-reset`.

use super::chain::{change, lock, name_of, sentence};
use super::generated::{
    rule, Action as Kind, Ferronic, Field as FieldNumber, RuleAddDo, RuleAddDoRequest,
    RuleAddReply, RuleDelDo, RuleDelDoRequest, RuleGetDo, RuleGetDoRequest, RuleGetDump,
    RuleGetDumpRequest, RuleGetReply, RuleReplaceDo, RuleReplaceDoRequest, RuleResetDo,
    RuleResetDoRequest, Term as TermAttributes, TermItem, Test as TestNumber,
};
use super::transaction;
use crate::hooks::{ChainView, Change, Extra, Name, NewRule, Place, RuleView, Site, Table, HOOKS};
use kernel::prelude::*;
use netdev::genetlink::{Batch, Context, Do, Dump};
use netdev::netfilter::{priority, Inet};
use netdev::netlink::Nests;
use netdev::rtnl::Net;
use netdev::skb::Reason;
use pure::rules::check::{Error as Unfit, Subject};
use pure::rules::field::{Field, Fields};
use pure::rules::rule::{Action, Modifiers, Rate};
use pure::rules::term::{Term, Test};

/// What the specification calls an action.
pub(super) fn kind_of(action: &Action) -> Kind {
    match action {
        Action::Accept => Kind::Accept,
        Action::Drop => Kind::Drop,
        Action::Continue => Kind::Continue,
        Action::SetMark { .. } => Kind::SetMark,
        Action::SetDscp(_) => Kind::SetDscp,
        Action::SetEcn(_) => Kind::SetEcn,
        Action::Queue { .. } => Kind::Queue,
        Action::Sample { .. } => Kind::Sample,
        Action::Corrupt { .. } => Kind::Corrupt,
        Action::Truncate { .. } => Kind::Truncate,
        Action::Duplicate { .. } => Kind::Duplicate,
        Action::Delay { .. } => Kind::Delay,
        Action::Reorder { .. } => Kind::Reorder,
    }
}

/// How long a packet waits for others to overtake it, unless the user says so: 100 ms.
const TIMEOUT_DEFAULT: u64 = 100_000_000;

/// A number of up to 128 bits, of its two halves.
fn wide(high: Option<u64>, low: Option<u64>) -> u128 {
    u128::from(high.unwrap_or(0)).wrapping_shl(64) | u128::from(low.unwrap_or(0))
}

/// The lower half of a number.
fn low(number: u128) -> Option<u64> {
    Some(number as u64)
}

/// The higher half of a number, if it has one.
fn high(number: u128) -> Option<u64> {
    Some((number >> 64) as u64).filter(|&high| high != 0)
}

/// A term, of its attributes; `None` if something is missing, or there and for nothing.
fn read_term(from: &TermItem<'_>) -> Option<Term> {
    let value = wide(from.value_high, from.value);
    let operand = wide(from.operand_high, from.operand);
    from.value?;
    let test = from.test.unwrap_or(TestNumber::Value);
    let has_operand = from.operand.is_some() || from.operand_high.is_some();
    if test == TestNumber::Value && has_operand {
        return None;
    }
    Some(Term {
        field: Field::from_number(from.field? as u8)?,
        negated: from.negated.is_some(),
        test: match test {
            TestNumber::Value => Test::Value(value),
            TestNumber::Prefix => Test::Prefix {
                value,
                length: u8::try_from(operand).ok()?,
            },
            TestNumber::Mask => Test::Mask {
                value,
                mask: operand,
            },
            TestNumber::Range => Test::Range {
                low: value,
                high: operand,
            },
        },
    })
}

/// The attributes of a term.
fn write_term(term: &Term) -> Result<TermAttributes> {
    let (test, value, operand) = match term.test {
        Test::Value(value) => (TestNumber::Value, value, None),
        Test::Prefix { value, length } => (TestNumber::Prefix, value, Some(length.into())),
        Test::Mask { value, mask } => (TestNumber::Mask, value, Some(mask)),
        Test::Range { low, high } => (TestNumber::Range, low, Some(high)),
    };
    Ok(TermAttributes {
        field: Some(FieldNumber::from_number(term.field.number().into())?),
        test: Some(test),
        negated: term.negated,
        value: low(value),
        value_high: high(value),
        operand: operand.and_then(low),
        operand_high: operand.and_then(high),
    })
}

/// What a request says of a rule.
struct Written<'a> {
    term: Nests<'a, TermItem<'a>>,
    action: Option<Kind>,
    mark: Option<u32>,
    mark_mask: Option<u32>,
    dscp: Option<u32>,
    ecn: Option<u32>,
    queue: Option<u32>,
    bypass: bool,
    snap: Option<u32>,
    bits: Option<u32>,
    offset: Option<u32>,
    length: Option<u32>,
    copies: Option<u32>,
    delay: Option<u64>,
    jitter: Option<u64>,
    gap: Option<u32>,
    timeout: Option<u64>,
    nth: Option<u32>,
    every: Option<u32>,
    probability: Option<u32>,
    seed: Option<u64>,
    rate: Option<u64>,
    burst: Option<u32>,
    rate_bytes: bool,
    at_most: Option<u32>,
    segments: bool,
    notify: Option<u32>,
    drop_reason: Option<&'a CStr>,
}

/// What a request of either command says of a rule.
macro_rules! written {
    ($request:ident) => {
        Written {
            term: $request.term,
            action: $request.action,
            mark: $request.mark,
            mark_mask: $request.mark_mask,
            dscp: $request.dscp,
            ecn: $request.ecn,
            queue: $request.queue,
            bypass: $request.bypass,
            snap: $request.snap,
            bits: $request.bits,
            offset: $request.offset,
            length: $request.length,
            copies: $request.copies,
            delay: $request.delay,
            jitter: $request.jitter,
            gap: $request.gap,
            timeout: $request.timeout,
            nth: $request.nth,
            every: $request.every,
            probability: $request.probability,
            seed: $request.seed,
            rate: $request.rate,
            burst: $request.burst,
            rate_bytes: $request.rate_bytes,
            at_most: $request.at_most,
            segments: $request.segments,
            notify: $request.notify,
            drop_reason: $request.drop_reason,
        }
    };
}

impl Written<'_> {
    fn rule(mut self, context: &Context<'_, Ferronic>) -> Result<NewRule> {
        let mut terms = KVec::new();
        for item in self.term.by_ref() {
            let item = item?;
            let Some(term) = read_term(&item) else {
                let text = c"A term has a field and a value, and an operand if it is for the test";
                context.extack().attribute(text, &item.nest);
                return Err(EINVAL);
            };
            terms.push(term, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(NewRule {
            terms,
            modifiers: self.modifiers(context)?,
            action: self.action(context)?,
            extra: self.extra(context)?,
        })
    }

    fn extra(&self, context: &Context<'_, Ferronic>) -> Result<Extra> {
        let refuse = |text| context.refuse(rule::DROP_REASON, text, EINVAL);
        let snap = self.notify.map(|snap| snap as u16);
        let Some(name) = self.drop_reason else {
            return Extra::new(snap, None).ok_or(EINVAL);
        };
        if self.action != Some(Kind::Drop) {
            return Err(refuse(c"Only the action drop has a reason"));
        }
        let reason = Reason::by_name(name)
            .ok_or_else(|| refuse(c"This kernel has no drop reason of that name"))?;
        Extra::new(snap, Some(reason))
            .ok_or_else(|| refuse(c"This drop reason cannot be given by a rule"))
    }

    fn modifiers(&self, context: &Context<'_, Ferronic>) -> Result<Modifiers> {
        let rate = match (self.rate, self.burst) {
            (Some(per_second), burst) => Some(Rate {
                per_second,
                // A packet at least, or as many bytes as the largest has.
                burst: burst.unwrap_or(if self.rate_bytes { LARGEST } else { 1 }),
                bytes: self.rate_bytes,
            }),
            (None, Some(_)) => {
                return Err(context.refuse(rule::BURST, c"A burst is that of a rate", EINVAL));
            }
            (None, None) if self.rate_bytes => {
                return Err(context.refuse(rule::RATE_BYTES, c"There is no rate", EINVAL));
            }
            (None, None) => None,
        };
        Ok(Modifiers {
            seed: self.seed.unwrap_or(0),
            segments: self.segments,
            nth: self.nth,
            every: self.every,
            probability: self.probability,
            rate,
            at_most: self.at_most,
        })
    }

    /// Refuses what says how to do something else than the rule does.
    fn check_action(&self, context: &Context<'_, Ferronic>) -> Result {
        let action = self.action.unwrap_or(Kind::Continue);
        let of_actions = [
            (self.mark.is_some(), rule::MARK, Kind::SetMark),
            (self.mark_mask.is_some(), rule::MARK_MASK, Kind::SetMark),
            (self.dscp.is_some(), rule::DSCP, Kind::SetDscp),
            (self.ecn.is_some(), rule::ECN, Kind::SetEcn),
            (self.queue.is_some(), rule::QUEUE, Kind::Queue),
            (self.bypass, rule::BYPASS, Kind::Queue),
            (self.snap.is_some(), rule::SNAP, Kind::Sample),
            (self.bits.is_some(), rule::BITS, Kind::Corrupt),
            (self.offset.is_some(), rule::OFFSET, Kind::Corrupt),
            (self.length.is_some(), rule::LENGTH, Kind::Truncate),
            (self.copies.is_some(), rule::COPIES, Kind::Duplicate),
            (self.delay.is_some(), rule::DELAY, Kind::Delay),
            (self.jitter.is_some(), rule::JITTER, Kind::Delay),
            (self.gap.is_some(), rule::GAP, Kind::Reorder),
            (self.timeout.is_some(), rule::TIMEOUT, Kind::Reorder),
        ];
        for (is_there, kind, of) in of_actions {
            if is_there && action != of {
                return Err(context.refuse(kind, c"The rule's action has no use for this", EINVAL));
            }
        }
        Ok(())
    }

    fn action(&self, context: &Context<'_, Ferronic>) -> Result<Action> {
        self.check_action(context)?;
        let needed = |value: Option<u32>, kind: u16| {
            value.ok_or_else(|| context.missing(kind, c"The action needs this"))
        };
        Ok(match self.action.unwrap_or(Kind::Continue) {
            Kind::Accept => Action::Accept,
            Kind::Drop => Action::Drop,
            Kind::Continue => Action::Continue,
            Kind::SetMark => Action::SetMark {
                value: needed(self.mark, rule::MARK)?,
                mask: self.mark_mask.unwrap_or(u32::MAX),
            },
            Kind::SetDscp => Action::SetDscp(needed(self.dscp, rule::DSCP)? as u8),
            Kind::SetEcn => Action::SetEcn(needed(self.ecn, rule::ECN)? as u8),
            Kind::Queue => Action::Queue {
                number: needed(self.queue, rule::QUEUE)? as u16,
                bypass: self.bypass,
            },
            Kind::Sample => Action::Sample {
                snap: self.snap.unwrap_or(SNAP_DEFAULT) as u16,
            },
            Kind::Corrupt => Action::Corrupt {
                bits: self.bits.unwrap_or(1) as u16,
                from: self.offset.unwrap_or(0) as u16,
            },
            Kind::Truncate => Action::Truncate {
                length: needed(self.length, rule::LENGTH)?,
            },
            Kind::Duplicate => Action::Duplicate {
                copies: self.copies.unwrap_or(1) as u8,
            },
            Kind::Delay => Action::Delay {
                delay: self
                    .delay
                    .ok_or_else(|| context.missing(rule::DELAY, c"For how long?"))?,
                jitter: self.jitter.unwrap_or(0),
            },
            Kind::Reorder => Action::Reorder {
                gap: self.gap.unwrap_or(1) as u16,
                timeout: self.timeout.unwrap_or(TIMEOUT_DEFAULT),
            },
        })
    }
}

/// Bytes of a packet that an event shows unless the user says otherwise: its headers.
const SNAP_DEFAULT: u32 = 128;

/// The attribute that holds a part of a rule.
fn attribute_of(subject: Subject) -> u16 {
    match subject {
        Subject::Field(_) => rule::TERM,
        Subject::Nth => rule::NTH,
        Subject::Every => rule::EVERY,
        Subject::Probability => rule::PROBABILITY,
        Subject::Rate => rule::RATE,
        Subject::AtMost => rule::AT_MOST,
        Subject::Action => rule::ACTION,
    }
}

/// Refuses a rule: points to the term, or to the part of the rule, and says what is wrong with it.
pub(super) fn refuse(context: &Context<'_, Ferronic>, term: Option<usize>, unfit: &Unfit) -> Error {
    let text = sentence(unfit.why, unfit.subject);
    let mut terms = context.nests::<TermItem<'_>>(rule::TERM);
    match term.and_then(|n| terms.nth(n)) {
        Some(Ok(item)) => {
            context.extack().attribute(text, &item.nest);
            EINVAL
        }
        _ => context.refuse(attribute_of(unfit.subject), text, EINVAL),
    }
}

/// Writes a rule.
pub(super) fn put(
    view: &RuleView<'_>,
    generation: u64,
    w: impl FnOnce(&RuleGetReply<'_>) -> Result,
) -> Result {
    let (modifiers, action) = view.consequence().ok_or(EINVAL)?;
    let mut terms = KVec::new();
    for term in view.rule.terms() {
        terms.push(write_term(&term)?, GFP_KERNEL)?;
    }
    let mut reply = RuleGetReply {
        chain: Some(view.chain),
        handle: Some(view.handle),
        generation: Some(generation),
        position: Some(view.position),
        term: &terms,
        nth: modifiers.nth,
        every: modifiers.every,
        probability: modifiers.probability,
        seed: Some(modifiers.seed).filter(|&seed| seed != 0),
        rate: modifiers.rate.map(|r| r.per_second),
        burst: modifiers.rate.map(|r| r.burst),
        rate_bytes: modifiers.rate.is_some_and(|r| r.bytes),
        at_most: modifiers.at_most,
        segments: modifiers.segments,
        notify: view.extra.snap().map(u32::from),
        drop_reason: view.extra.reason().and_then(Reason::name),
        packets: Some(view.counts.packets),
        bytes: Some(view.counts.bytes),
        acted: Some(view.acted()),
        ..Default::default()
    };
    reply.action = Some(kind_of(&action));
    match action {
        Action::Accept | Action::Drop | Action::Continue => (),
        Action::SetMark { value, mask } => {
            reply.mark = Some(value);
            reply.mark_mask = Some(mask);
        }
        Action::SetDscp(dscp) => {
            reply.dscp = Some(dscp.into());
        }
        Action::SetEcn(ecn) => {
            reply.ecn = Some(ecn.into());
        }
        Action::Queue { number, bypass } => {
            reply.queue = Some(number.into());
            reply.bypass = bypass;
        }
        Action::Sample { snap } => {
            reply.snap = Some(snap.into());
        }
        Action::Corrupt { bits, from } => {
            reply.bits = Some(bits.into());
            reply.offset = Some(from.into());
        }
        Action::Truncate { length } => {
            reply.length = Some(length);
        }
        Action::Duplicate { copies } => {
            reply.copies = Some(copies.into());
        }
        Action::Delay { delay, jitter } => {
            reply.delay = Some(delay);
            reply.jitter = Some(jitter);
        }
        Action::Reorder { gap, timeout } => {
            reply.gap = Some(gap.into());
            reply.timeout = Some(timeout);
        }
    }
    w(&reply)
}

/// What rules that look at certain fields do not see in a chain, for its place, in a sentence.
fn caveat(view: &ChainView<'_>, fields: Fields) -> Option<&'static CStr> {
    let Site::Inet(_, point) = view.site else {
        return None;
    };
    let is_first = matches!(point, Inet::PreRouting | Inet::LocalOut);
    if fields.contains(Field::Conntrack) && is_first && view.priority <= priority::CONNTRACK {
        return Some(c"Connections are tracked behind this chain (-200): it sees no state");
    }
    if fields.contains(Field::Fragment) && !(is_first && view.priority < priority::DEFRAG) {
        return Some(
            c"Where connections are tracked, fragments are put together before this chain",
        );
    }
    None
}

/// Makes a change of a rule, and says so where the rule has a caveat.
fn change_rule(
    context: &Context<'_, Ferronic>,
    table: &mut Table,
    net: &Net,
    name: &Name,
    fields: Fields,
    what: Change,
) -> Result {
    change(context, table, net, what, None)?;
    let view = table
        .position(name.as_cstr())
        .and_then(|at| table.chain_at(at));
    if let Some(text) = view.and_then(|view| caveat(&view, fields)) {
        context.extack().message(text);
    }
    Ok(())
}

/// The place of a chain in the list.
fn place_of(table: &Table, name: &CStr, context: &Context<'_, Ferronic>) -> Result<usize> {
    table
        .position(name)
        .ok_or_else(|| context.refuse(rule::CHAIN, c"There is no chain of that name", ENOENT))
}

fn handle_of(handle: Option<u32>, context: &Context<'_, Ferronic>) -> Result<u32> {
    handle.ok_or_else(|| context.missing(rule::HANDLE, c"Which rule? It needs a handle"))
}

impl Do for RuleGetDo {
    fn run(request: RuleGetDoRequest<'_>, context: &Context<'_, Ferronic>) -> Result {
        let name = name_of(request.chain, rule::CHAIN, context)?;
        let handle = handle_of(request.handle, context)?;
        let mut reply = context.reply()?;
        lock(context, |table, _| {
            let chain = place_of(table, name.as_cstr(), context)?;
            let position = table.rule_position(chain, handle);
            let view = position.and_then(|position| table.rule_at(chain, position));
            let view = view.ok_or_else(|| {
                context.refuse(
                    rule::HANDLE,
                    c"The chain has no rule of that handle",
                    ENOENT,
                )
            })?;
            put(&view, table.generation, |r| r.put(&mut reply.writer()))
        })?;
        reply.send()
    }
}

/// Bytes of the largest packet: a super frame of BIG TCP (`GSO_MAX_SIZE`).
const LARGEST: u32 = 8 * 65535;

/// Where a dump of rules is.
pub(crate) struct At {
    /// Place of the chain.
    chain: usize,
    /// Position of the next rule.
    position: u32,
    /// Whether it is the only chain.
    only: bool,
}

impl Dump for RuleGetDump {
    type State = At;

    fn start(request: RuleGetDumpRequest<'_>, context: &Context<'_, Ferronic>) -> Result<At> {
        let mut at = At {
            chain: 0,
            position: 0,
            only: request.chain.is_some(),
        };
        if request.chain.is_some() {
            let name = name_of(request.chain, rule::CHAIN, context)?;
            at.chain = lock(context, |table, _| place_of(table, name.as_cstr(), context))?;
        }
        Ok(at)
    }

    fn fill(at: &mut At, batch: &mut Batch<'_, Ferronic>) -> Result {
        HOOKS
            .get(batch.net())
            .ok_or(ENODEV)?
            .with(|table, _| {
                // Places may have changed since the last batch; the generation tells the reader.
                batch.generation(table.generation);
                while table.chain_at(at.chain).is_some() {
                    while let Some(view) = table.rule_at(at.chain, at.position) {
                        put(&view, table.generation, |r| {
                            let mut message = batch.message()?;
                            r.put(&mut message.writer())?;
                            message.end();
                            Ok(())
                        })?;
                        at.position = at.position.saturating_add(1);
                    }
                    if at.only {
                        break;
                    }
                    at.chain = at.chain.saturating_add(1);
                    at.position = 0;
                }
                Ok(())
            })
            .unwrap_or(Ok(()))
    }
}

impl Do for RuleAddDo {
    fn run(request: RuleAddDoRequest<'_>, context: &Context<'_, Ferronic>) -> Result {
        let name = name_of(request.chain, rule::CHAIN, context)?;
        let place = match (request.position, request.before) {
            (None, None) => Place::Last,
            (Some(position), None) => Place::At(position),
            (None, Some(handle)) => Place::Before(handle),
            (Some(_), Some(_)) => {
                let text = c"A rule is added at a position or before another one, not both";
                return Err(context.refuse(rule::BEFORE, text, EINVAL));
            }
        };
        let new = written!(request).rule(context)?;
        if request.transaction {
            return transaction::push(context, Change::AddRule(name, place, new));
        }
        let mut reply = context.reply()?;
        let fields = new.fields();
        lock(context, |table, net| {
            let add = Change::AddRule(name, place, new);
            change_rule(context, table, net, &name, fields, add)?;
            RuleAddReply {
                chain: Some(name.as_cstr()),
                handle: table.last_handle(name.as_cstr()),
                generation: Some(table.generation),
            }
            .put(&mut reply.writer())
        })?;
        reply.send()
    }
}

impl Do for RuleReplaceDo {
    fn run(request: RuleReplaceDoRequest<'_>, context: &Context<'_, Ferronic>) -> Result {
        let name = name_of(request.chain, rule::CHAIN, context)?;
        let handle = handle_of(request.handle, context)?;
        let new = written!(request).rule(context)?;
        let fields = new.fields();
        let replace = Change::ReplaceRule(name, handle, new);
        if request.transaction {
            return transaction::push(context, replace);
        }
        lock(context, |table, net| {
            change_rule(context, table, net, &name, fields, replace)
        })
    }
}

impl Do for RuleDelDo {
    fn run(request: RuleDelDoRequest<'_>, context: &Context<'_, Ferronic>) -> Result {
        let name = name_of(request.chain, rule::CHAIN, context)?;
        let delete = match request.handle {
            Some(handle) => Change::DeleteRule(name, handle),
            None => Change::Flush(name),
        };
        if request.transaction {
            return transaction::push(context, delete);
        }
        lock(context, |table, net| {
            change(context, table, net, delete, None)
        })
    }
}

impl Do for RuleResetDo {
    fn run(request: RuleResetDoRequest<'_>, context: &Context<'_, Ferronic>) -> Result {
        let name = name_of(request.chain, rule::CHAIN, context)?;
        let reset = Change::Reset(name, request.handle);
        if request.transaction {
            return transaction::push(context, reset);
        }
        lock(context, |table, net| {
            change(context, table, net, reset, None)
        })
    }
}
