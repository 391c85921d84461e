//! `render-guard`: `five-minutes`, but a running render may put off the save.
#![cfg_attr(target_arch = "wasm32", no_std)]

use lifeline_machine::contract::Settings;

/// For how long, if the settings do not say: an hour.
const RENDER_WAIT: u64 = 3_600_000;

lifeline_machine::policy! {
    name: "render-guard",
    about: "Like five-minutes, but a running render may put off the save for up to an hour.",
    settings: |settings| Settings {
        render_wait: match settings.render_wait {
            0 => RENDER_WAIT,
            set => set,
        },
        ..settings
    },
}
