// SPDX-License-Identifier: GPL-2.0

//! Self-tests.

/// Results of a self-test, one for each of [`Operations::SELF_TESTS`](super::Operations::SELF_TESTS).
pub struct TestResults<'a> {
    values: &'a mut [u64],
    failed: bool,
}

impl<'a> TestResults<'a> {
    pub(super) fn new(values: &'a mut [u64]) -> Self {
        TestResults {
            values,
            failed: false,
        }
    }

    /// Sets the result of test number `index`: 0 is passed, anything else says what was wrong.
    pub fn set(&mut self, index: usize, result: u64) {
        if let Some(slot) = self.values.get_mut(index) {
            *slot = result;
            self.failed |= result != 0;
        }
    }

    /// Whether any was not passed.
    pub fn failed(&self) -> bool {
        self.failed
    }
}
