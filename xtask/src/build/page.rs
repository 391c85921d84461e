//! The browser's package: the policy as JavaScript, and the demo page.

use anyhow::Result;

use crate::layout::Layout;
use crate::process::Step;
use crate::setup;

/// A script of `browser/package.json`.
pub fn npm_run(layout: &Layout, what: &str, script: &str) -> Result<Step> {
    Ok(setup::npm(layout, what)?
        .args(["run", "--silent", script])
        .dir(&layout.browser())
        .env(
            "LIFELINE_POLICY",
            layout.policies().join("five-minutes.wasm"),
        ))
}

/// The built-in policy, transpiled: the very bytes that the host embeds.
pub fn transpiled_policy(layout: &Layout) -> Result<()> {
    npm_run(layout, "transpiling the policy for browsers", "policy")?.run()
}

/// The demo page, in `browser/dist`.
pub fn page(layout: &Layout) -> Result<()> {
    transpiled_policy(layout)?;
    npm_run(layout, "building the page", "build")?.quiet().run()
}
