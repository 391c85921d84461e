//! What would happen: without Blender, without a server, and in no time.
//!
//! | module | what it does |
//! |---|---|
//! | [`timeline`] | one Blender loses its server: the real driver, in virtual time |
//! | [`fleet`] | many Blenders lose one server, and it comes back |

pub mod fleet;
pub(crate) mod server;
pub mod timeline;
