//! The built-in policy's machine code, which the host library embeds beside the component.

use anyhow::Result;

use crate::layout::Layout;
use crate::process;

/// Compile it into `target/policies/five-minutes.cwasm`. The policies must have been built.
pub fn built_in_policy(layout: &Layout) -> Result<()> {
    process::cargo("building what compiles the built-in policy")
        .args(["build", "--release"])
        // The library is not built here, but named: features of a dependency are those that all
        // packages named ask for together, and with others wasmtime would be compiled twice.
        .args(["--package", "lifeline", "--package", "lifeline-sandbox"])
        .args(["--bin", "lifeline-precompile"])
        .dir(layout.root())
        .run()?;
    let component = layout.policies().join("five-minutes.wasm");
    process::Step::new(
        "compiling the built-in policy",
        layout.target().join("release/lifeline-precompile"),
    )
    .arg(&component)
    .arg(component.with_extension("cwasm"))
    .quiet()
    .run()
}
