//! What would happen: without Blender, without a server, and in no time.
//!
//! | module | what it does |
//! |---|---|
//! | [`fleet`] | many Blenders lose one server, and it comes back |

pub mod fleet;
