//! System packages: installed on Debian as root, asked for everywhere else.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::process::{self, Step};
use crate::setup::Part;

/// Something that the system has to bring.
struct Requirement {
    part: Part,
    /// What a person would call it.
    what: &'static str,
    /// Debian's package.
    package: &'static str,
    /// Whether it is there.
    present: fn(&'static str) -> bool,
}

const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        part: Part::Fuzz,
        what: "a C++ compiler, for libFuzzer",
        package: "g++",
        present: has_cxx,
    },
    Requirement {
        part: Part::Blender,
        what: "Blender, or its path in BLENDER",
        package: "blender",
        present: has_blender,
    },
    Requirement {
        part: Part::Blender,
        what: "Xvfb, a display without a screen",
        package: "xvfb",
        present: has_xvfb,
    },
    Requirement {
        part: Part::Blender,
        what: "xauth",
        package: "xauth",
        present: is_program,
    },
    Requirement {
        part: Part::Blender,
        what: "Mesa's software OpenGL",
        package: "libgl1-mesa-dri",
        present: is_installed_or_not_debian,
    },
    library(Part::Bpy, "libX11", "libx11-6"),
    library(Part::Bpy, "libXrender", "libxrender1"),
    library(Part::Bpy, "libXfixes", "libxfixes3"),
    library(Part::Bpy, "libXi", "libxi6"),
    library(Part::Bpy, "libxkbcommon", "libxkbcommon0"),
    library(Part::Bpy, "libSM", "libsm6"),
    library(Part::Bpy, "libICE", "libice6"),
    library(Part::Bpy, "libGL", "libgl1"),
    library(Part::Bpy, "libXxf86vm", "libxxf86vm1"),
    Requirement {
        part: Part::Faults,
        what: "chattr, which makes files immutable",
        package: "e2fsprogs",
        present: has_chattr,
    },
    Requirement {
        part: Part::Pointer,
        what: "xdotool",
        package: "xdotool",
        present: is_program,
    },
    Requirement {
        part: Part::Faults,
        what: "mount",
        package: "mount",
        present: is_program,
    },
    Requirement {
        part: Part::Balanced,
        what: "nginx",
        package: "nginx",
        present: is_server,
    },
    Requirement {
        part: Part::Balanced,
        what: "Redis, its server",
        package: "redis-server",
        present: is_server,
    },
    Requirement {
        part: Part::Bench,
        what: "ip, for networks that a test owns",
        package: "iproute2",
        present: has_ip,
    },
    Requirement {
        part: Part::Browser,
        what: "Chromium, or its path in CHROMIUM",
        package: "chromium",
        present: has_chromium,
    },
    Requirement {
        part: Part::Firefox,
        what: "Firefox, or its path in FIREFOX",
        package: "firefox-esr",
        present: has_firefox,
    },
];

const fn library(part: Part, what: &'static str, package: &'static str) -> Requirement {
    Requirement {
        part,
        what,
        package,
        present: is_installed_or_not_debian,
    }
}

/// What a part needs of the system, as a person would call it.
pub fn names_of(part: Part) -> Vec<&'static str> {
    REQUIREMENTS
        .iter()
        .filter(|it| it.part == part)
        .map(|it| it.what)
        .collect()
}

fn is_program(name: &'static str) -> bool {
    process::find_program(name).is_some()
}

/// Debian keeps those where only root looks.
fn is_server(name: &'static str) -> bool {
    is_program(name) || Path::new("/usr/sbin").join(name).exists()
}

fn has_ip(_: &'static str) -> bool {
    is_server("ip")
}

fn has_cxx(_: &'static str) -> bool {
    env::var_os("CXX").is_some() || is_program("c++")
}

fn has_blender(_: &'static str) -> bool {
    env::var_os("BLENDER").is_some() || is_program("blender")
}

fn has_chromium(_: &'static str) -> bool {
    env::var_os("CHROMIUM").is_some() || is_program("chromium")
}

fn has_firefox(_: &'static str) -> bool {
    env::var_os("FIREFOX").is_some() || is_program("firefox-esr") || is_program("firefox")
}

fn has_xvfb(_: &'static str) -> bool {
    is_program("Xvfb")
}

fn has_chattr(_: &'static str) -> bool {
    is_program("chattr")
}

/// A library has no command to look for; without dpkg there is nobody to ask.
fn is_installed_or_not_debian(package: &'static str) -> bool {
    !is_debian() || is_installed(package)
}

fn is_installed(package: &str) -> bool {
    process::ask("dpkg-query", ["-W", "-f=${db:Status-Status}", package])
        .is_some_and(|status| status == "installed")
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && is_program("apt-get")
}

/// Packages can be installed without asking anybody.
pub fn can_install() -> bool {
    is_debian() && process::ask("id", ["-u"]).is_some_and(|id| id == "0")
}

/// Install packages by apt-get; only where `can_install`.
pub fn install(packages: &[&str]) -> Result<()> {
    let apt = |what: String| {
        Step::new(what, "apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            // Another apt-get may be at work.
            .args(["-q", "-y", "-o", "DPkg::Lock::Timeout=300"])
            .quiet()
    };
    apt("reading Debian's package lists".to_owned())
        .arg("update")
        .hint("check the network and /etc/apt/sources.list")
        .run()?;
    apt(format!(
        "installing {} (Debian packages)",
        packages.join(", ")
    ))
    .args(["install", "--no-install-recommends"])
    .args(packages)
    .hint(format!("install them by hand: {}", packages.join(" ")))
    .run()
}

/// Install what is missing of these parts' packages.
pub fn ensure_system_packages(parts: &[Part]) -> Result<()> {
    if parts.contains(&Part::Blender) {
        check_blender_variable()?;
    }
    let missing: Vec<&Requirement> = REQUIREMENTS
        .iter()
        .filter(|it| parts.contains(&it.part) && !(it.present)(it.package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|it| it.package).collect();
    if can_install() {
        return install(&packages);
    }
    let list: Vec<String> = missing
        .iter()
        .map(|it| format!("  - {} (Debian: {})", it.what, it.package))
        .collect();
    bail!(
        "missing on this system:\n{}\nInstall them; on Debian and Ubuntu:\n  \
         sudo apt-get install --no-install-recommends {}",
        list.join("\n"),
        packages.join(" ")
    );
}

fn check_blender_variable() -> Result<()> {
    let Some(named) = env::var_os("BLENDER").map(PathBuf::from) else {
        return Ok(());
    };
    let found = if named.components().count() > 1 {
        named.is_file()
    } else {
        named
            .to_str()
            .is_some_and(|name| process::find_program(name).is_some())
    };
    if !found {
        bail!(
            "BLENDER names {}, which is not a program; name Blender's own, or unset BLENDER",
            named.display()
        );
    }
    Ok(())
}
