// SPDX-License-Identifier: GPL-2.0

//! Who drops what is in a ring.

#[kernel::macros::kunit_tests(netdev_ring)]
mod tests {
    use crate::batch::Batch;
    use crate::kunit::{Gone, Watched};
    use crate::ring::{self, Filler, Poster, Taker};
    use kernel::prelude::*;

    /// A ring of 8 with five descriptors, of which the first three are filled.
    fn half_filled(gone: &Gone) -> Result<(Poster<Watched>, Filler<Watched>, Taker<Watched>)> {
        let (mut poster, mut filler, taker) = ring::new(8)?;
        for _ in 0..5 {
            poster.post(gone.watched()).map_err(|_| ENOSPC)?;
        }
        poster.publish();
        if !filler.has(5) {
            return Err(EIO);
        }
        filler.advance(3);
        Ok((poster, filler, taker))
    }

    #[test]
    fn only_powers_of_two() {
        for len in [0u32, 3, 6, 12, (1 << 31) + 1] {
            assert!(ring::new::<u8>(len).is_err());
        }
    }

    #[test]
    fn what_is_left_is_dropped_once() -> Result {
        let gone = Gone::new()?;
        let (poster, filler, mut taker) = half_filled(&gone)?;
        drop(taker.take());
        assert_eq!(gone.count(), 1);
        drop((filler, poster));
        assert_eq!(gone.count(), 1);
        drop(taker);
        assert_eq!(gone.count(), 5);
        Ok(())
    }

    #[test]
    fn what_was_not_published_is_dropped_too() -> Result {
        let gone = Gone::new()?;
        let (mut poster, filler, taker) = half_filled(&gone)?;
        poster.post(gone.watched()).map_err(|_| ENOSPC)?;
        drop((taker, filler, poster));
        assert_eq!(gone.count(), 6);
        Ok(())
    }

    #[test]
    fn a_full_ring_gives_back_what_it_cannot_take() -> Result {
        let gone = Gone::new()?;
        let (mut poster, _filler, mut taker) = half_filled(&gone)?;
        for _ in 0..3 {
            assert!(poster.post(gone.watched()).is_ok());
        }
        assert!(poster.post(gone.watched()).is_err());
        assert_eq!(gone.count(), 1);
        // A slot is free when it was given back, not when it was emptied.
        drop(taker.take());
        assert!(poster.post(gone.watched()).is_err());
        taker.release();
        assert!(poster.post(gone.watched()).is_ok());
        assert_eq!(gone.count(), 3);
        Ok(())
    }

    #[test]
    fn a_batch_gives_in_order_and_drops_the_rest() -> Result {
        let gone = Gone::new()?;
        let mut batch = Batch::<(u32, Watched), 4>::new();
        for n in 0..4 {
            assert!(batch.push((n, gone.watched())).is_ok());
        }
        assert!(batch.push((4, gone.watched())).is_err());
        assert_eq!(gone.count(), 1);
        for n in 0..2 {
            assert_eq!(batch.next().map(|(m, _)| m), Some(n));
        }
        assert_eq!(gone.count(), 3);
        drop(batch);
        assert_eq!(gone.count(), 5);
        assert!(Batch::<u32, 0>::new().next().is_none());
        Ok(())
    }

    #[test]
    fn draining_tells_what_was_filled() -> Result {
        let gone = Gone::new()?;
        let (poster, filler, taker) = half_filled(&gone)?;
        let (mut filled, mut posted) = (0u32, 0u32);
        ring::drain(poster, filler, taker, |_, full| match full {
            true => filled = filled.wrapping_add(1),
            false => posted = posted.wrapping_add(1),
        });
        assert_eq!((filled, posted, gone.count()), (3, 2, 5));
        Ok(())
    }
}
