// SPDX-License-Identifier: GPL-2.0

//! Statistics of which only those are reported that are kept.

/// Makes a structure of optional counters that goes into a C structure: what is `None` is left as the core set it,
/// which stands for "not kept".
macro_rules! optional_counters {
    (
        $(#[$meta:meta])*
        pub struct $name:ident -> $raw:ty {
            $($(#[$doc:meta])* $field:ident -> $raw_field:ident,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name {
            $($(#[$doc])* pub $field: Option<u64>,)*
        }

        impl $name {
            /// Stores what is kept.
            fn store(&self, to: &mut $raw) {
                $(
                    if let Some(v) = self.$field {
                        to.$raw_field = v;
                    }
                )*
            }
        }
    };
}
