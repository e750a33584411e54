// SPDX-License-Identifier: GPL-2.0

//! A list that is edited, and how much work that may be.
//!
//! Changes are made under locks that others wait for, RTNL among them, and their author chooses where in how long a
//! list. So the list has a place where it is edited, and getting from one to the next costs as many steps as there are
//! elements in between: changes that come in the order of the list, as most do, cost the same however long it is. Of
//! the steps there are only so many.

use kernel::prelude::*;

/// Steps of all changes that are made together.
const STEPS_MAX: u64 = 1 << 28;

/// Steps that are left: an element that was looked at or moved.
pub(super) struct Steps(u64);

impl Steps {
    pub(super) const fn new() -> Self {
        Steps(STEPS_MAX)
    }

    /// Takes some; `E2BIG` if there are not so many left.
    pub(super) fn take(&mut self, count: usize) -> Result {
        self.0 = self.0.checked_sub(count as u64).ok_or(E2BIG)?;
        Ok(())
    }
}

/// A list, and the place where it is edited.
pub(super) struct Edited<T> {
    before: KVVec<T>,
    /// What is behind the place, the first last.
    behind: KVVec<T>,
}

impl<T> Edited<T> {
    pub(super) const fn new() -> Self {
        Edited {
            before: KVVec::new(),
            behind: KVVec::new(),
        }
    }

    /// A list that is edited at its end.
    pub(super) fn of(list: KVVec<T>) -> Self {
        Edited {
            before: list,
            behind: KVVec::new(),
        }
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        self.before.len().saturating_add(self.behind.len())
    }

    /// The elements in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        Iterator::chain(self.before.iter(), self.behind.iter().rev())
    }

    /// The elements, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        Iterator::chain(self.before.iter_mut(), self.behind.iter_mut().rev())
    }

    /// Goes to a position, at most the number of elements; the place is before what stands there. `E2BIG` if there are
    /// not enough steps, `ENOMEM`; the list is as before then.
    pub(super) fn seek(&mut self, position: usize, steps: &mut Steps) -> Result {
        let at = self.before.len();
        let (from, to, count) = if position < at {
            let count = at.saturating_sub(position);
            (&mut self.before, &mut self.behind, count)
        } else {
            let count = position.saturating_sub(at);
            (&mut self.behind, &mut self.before, count)
        };
        steps.take(count)?;
        to.reserve(count, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..count {
            if let Some(element) = from.pop() {
                // There is room, reserved above.
                let _ = to.push_within_capacity(element);
            }
        }
        Ok(())
    }

    /// Goes to the first such element from here on, or else from the start; returns whether there is one. Errors are
    /// those of [`seek`](Self::seek).
    pub(super) fn find(&mut self, such: impl Fn(&T) -> bool, steps: &mut Steps) -> Result<bool> {
        let at = self.before.len();
        let behind = self.behind.iter().rev().position(&such);
        let found = match behind {
            Some(n) => Some((at.saturating_add(n), n)),
            None => {
                let from_start = self.before.iter().position(&such);
                from_start.map(|n| (n, self.behind.len().saturating_add(n)))
            }
        };
        let Some((position, looked_at)) = found else {
            steps.take(self.len())?;
            return Ok(false);
        };
        steps.take(looked_at)?;
        self.seek(position, steps)?;
        Ok(true)
    }

    /// What stands here.
    pub(super) fn here(&mut self) -> Option<&mut T> {
        self.behind.last_mut()
    }

    /// Puts an element here; the place is behind it then.
    pub(super) fn insert(&mut self, element: T) -> Result {
        Ok(self.before.push(element, GFP_KERNEL_ACCOUNT)?)
    }

    /// Takes out what stands here.
    pub(super) fn remove(&mut self) -> Option<T> {
        self.behind.pop()
    }

    /// Takes out all.
    pub(super) fn clear(&mut self) {
        self.before.clear();
        self.behind.clear();
    }
}
