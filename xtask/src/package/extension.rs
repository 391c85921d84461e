//! For Blender 4.2 and later: Blender's own tool builds it, and checks it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::layout::{Bpy, Layout};
use crate::package::Parts;
use crate::package::staging::{self, Staging};
use crate::process::{self, Step};

const MANIFEST: &str = "blender_manifest.toml";

pub fn build(parts: &Parts, staging: &Staging) -> Result<PathBuf> {
    let folder = staging.addon("extension")?;
    let wheel = parts
        .wheel
        .file_name()
        .and_then(|name| name.to_str())
        .with_context(|| format!("{} has no usable name", parts.wheel.display()))?;
    let manifest = folder.join(MANIFEST);
    let text = fs::read_to_string(&manifest)
        .with_context(|| format!("{} cannot be read", manifest.display()))?;
    let text = complete(&text, parts.platform, wheel)?;
    fs::write(&manifest, text)
        .with_context(|| format!("{} cannot be written", manifest.display()))?;
    fs::create_dir_all(folder.join("wheels"))?;
    staging::copy_file(parts.wheel, &folder.join("wheels").join(wheel))?;
    staging::make_uniform(&folder)?;

    let tool = tool(parts.layout)?;
    let run = |what: &str| {
        Step::new(
            format!("Blender's own tool: {what}"),
            parts.layout.bpy_python(Bpy::V4_5),
        )
        .args(["-I", "-B"])
        .arg(&tool)
        .env("TZ", "UTC")
        .quiet()
    };
    let zip = parts.zip("");
    run("building the extension")
        .args(["build", "--source-dir"])
        .arg(&folder)
        .arg("--output-filepath")
        .arg(&zip)
        .run()?;
    run("validating it").arg("validate").arg(&zip).run()?;
    Ok(zip)
}

/// Which wheel it is depends on the build, so the add-on's own manifest names none.
fn complete(text: &str, platform: &str, wheel: &str) -> Result<String> {
    // A key of the document itself has to come before its first table.
    let Some((keys, tables)) = text.split_once("\n[") else {
        bail!("{MANIFEST} has no table, though it is to ask for permissions");
    };
    Ok(format!(
        "{keys}\nplatforms = [\"{platform}\"]\nwheels = [\"./wheels/{wheel}\"]\n\n[{tables}"
    ))
}

/// `blender_ext.py`, which is what `blender --command extension` runs.
fn tool(layout: &Layout) -> Result<PathBuf> {
    const FIND: &str = "
from importlib.util import find_spec
from pathlib import Path
bpy = Path(find_spec('bpy').origin).parent
print(*bpy.glob('*/scripts/addons_core/bl_pkg/cli/blender_ext.py'))";
    process::ask(layout.bpy_python(Bpy::V4_5), ["-I", "-c", FIND])
        .map(PathBuf::from)
        .filter(|file| file.is_file())
        .context("bpy brings no blender_ext.py; remove target/venv-bpy, so that it is made anew")
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn the_manifest_names_the_wheel_before_its_tables() {
        let text = complete(
            "id = \"a\"\n\n[permissions]\nfiles = \"b\"\n",
            "linux-x64",
            "c.whl",
        );
        let expected = "id = \"a\"\n\nplatforms = [\"linux-x64\"]\nwheels = [\"./wheels/c.whl\"]\n\n\
                        [permissions]\nfiles = \"b\"\n";
        assert_eq!(text.ok().as_deref(), Some(expected));
    }
}
