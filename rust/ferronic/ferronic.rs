//! x
#![forbid(unsafe_code)]
use kernel::prelude::*;
module! { type: T, name: "ferronic", authors: ["x"], description: "x", license: "GPL", }
struct T;
impl kernel::Module for T { fn init(_m: &'static ThisModule) -> Result<Self> { Ok(T) } }
