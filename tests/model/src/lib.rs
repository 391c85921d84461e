//! What the host decides, checked exhaustively against an adversary.
//!
//! The host is `lifeline-core`, the code that ships; the machine is the one of `guest/machine`,
//! compiled for this computer. The adversary (`moves`) plays the server, the clock, Blender's main
//! thread, people, and policies that are not the machine. A monitor keeps books of its own, and looks
//! whether the rules ([`rule::Rule`]) hold.
//!
//! A search is bounded in the number of outages, and in each of them in the number of faults
//! ([`step::Event::faults`]) and of saves that a hostile policy asks for; in nothing else: it ends
//! when there is no further world, and no trace is cut off. Worlds are told apart by 64 bits, so
//! among a million of them one pair in some ten million searches is taken for one.
//!
//! # Why an outage ends
//!
//! The checker cannot see that something happens *eventually* where the worlds run in a circle, and
//! they do: a held Blender tries to connect for ever. So the end is a rule about states
//! ([`rule::Rule::Overdue`]), of which the rest follows:
//!
//! 1. In each world of an outage that nobody holds, and whose save was not asked for, the host's next
//!    wake-up comes no later than an instant `save_by`. That instant is set at the loss, from the
//!    settings alone, and moves only by faults (a sleep, a person, a swap, a call that nobody
//!    decides), of which there is a bounded number, and when a policy that is none of the machine's
//!    takes back a save that it has asked for, which its bound of saves limits as well.
//! 2. Time goes on. A wake-up is at least 10 ms after the call before it, an attempt takes at least
//!    [`configuration::QUICK`] to fail, and everything else that takes no time is a fault, or
//!    answers something (a ticket, a save) of which there is one at a time.
//! 3. By 1 and 2, if the server stays away, the save is asked for after a bounded number of steps:
//!    otherwise some world would lie beyond `save_by`.
//! 4. From there on it is the main thread's turn. [`rule::Rule::Stalls`] says that in each world
//!    there is something that it, or the host's alarm, has yet to do, and the guard's waits that the
//!    alarm ends on are of bounded length. How long the main thread takes is not the host's to say.

pub mod configuration;
pub mod courses;
mod main_thread;
pub mod model;
mod monitor;
mod moves;
mod play;
mod policy;
pub mod report;
pub mod rule;
pub mod step;
pub mod world;

pub use configuration::{Bound, Configuration, configurations};
pub use report::{Outcome, search};
