// SPDX-License-Identifier: GPL-2.0

//! When a timer's handler runs, and that it does not afterwards.

#[kernel::macros::kunit_tests(netdev_timer)]
mod tests {
    use crate::clock::now_ns;
    use crate::context::Bh;
    use crate::counter::Counter;
    use crate::kunit::{Gone, Watched};
    use crate::timer::{Expire, Timer};
    use kernel::prelude::*;
    use kernel::sync::{Arc, Completion};

    const HOUR: u64 = 3_600_000_000_000;

    #[pin_data]
    struct Alarm {
        count: Counter,
        late: Counter,
        due: u64,
        #[pin]
        done: Completion,
        watched: Watched,
    }

    impl Expire for Alarm {
        fn expired(timer: &Timer<Self>, _: &Bh<'_>) {
            timer.count.inc();
            timer.late.add(u64::from(now_ns() >= timer.due));
            timer.done.complete_all();
        }
    }

    fn alarm(gone: &Gone, due: u64) -> Result<Arc<Timer<Alarm>>> {
        let watched = gone.watched();
        Arc::pin_init(
            Timer::new(pin_init!(Alarm {
                count: Counter::new(),
                late: Counter::new(),
                due,
                done <- Completion::new(),
                watched,
            })),
            GFP_KERNEL,
        )
    }

    #[test]
    fn it_expires_once_and_not_before_its_time() -> Result {
        let gone = Gone::new()?;
        let due = now_ns().wrapping_add(1_000_000);
        let timer = alarm(&gone, due)?;
        timer.start_at(due);
        timer.done.wait_for_completion();
        assert_eq!((timer.count.get(), timer.late.get()), (1, 1));
        drop(timer);
        assert_eq!(gone.count(), 1);
        Ok(())
    }

    #[test]
    fn starting_it_anew_moves_it() -> Result {
        let gone = Gone::new()?;
        let timer = alarm(&gone, 0)?;
        timer.start_at(now_ns().wrapping_add(HOUR));
        timer.start_at(now_ns());
        timer.done.wait_for_completion();
        assert_eq!(timer.count.get(), 1);
        Ok(())
    }

    #[test]
    fn dropping_it_stops_it() -> Result {
        let gone = Gone::new()?;
        let timer = alarm(&gone, 0)?;
        timer.start_at(now_ns().wrapping_add(HOUR));
        drop(timer);
        assert_eq!(gone.count(), 1);
        Ok(())
    }
}
