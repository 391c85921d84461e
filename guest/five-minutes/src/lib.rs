//! `five-minutes`, Lifeline's default policy: the machine as it is.
#![cfg_attr(target_arch = "wasm32", no_std)]

lifeline_machine::policy! {
    name: "five-minutes",
    about: "Five attempts to reconnect, then five minutes, then save and quit.",
}
