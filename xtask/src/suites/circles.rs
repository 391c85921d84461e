//! The modules of each of the host's crates import each other in one direction.
//!
//! What counts is the crate's outermost modules, their tests left out. rustc has no lint for it, nor
//! has clippy.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use super::sources;
use crate::layout::Layout;

/// Which modules a module imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// Fails with the circle, if there is one.
pub fn check(layout: &Layout) -> Result<()> {
    for source in sources::of_the_host(layout)? {
        let Ok(library) = fs::read_to_string(source.join("lib.rs")) else {
            continue;
        };
        let shown = source.strip_prefix(layout.root()).unwrap_or(&source);
        if let Some(circle) = circle(&imports(&source, &library)?) {
            bail!(
                "the modules of {} import each other in a circle: {}; move what they share into a \
                 module below both",
                shown.display(),
                circle.join(" → ")
            );
        }
    }
    Ok(())
}

fn imports(source: &Path, library: &str) -> Result<Imports> {
    let owners = reexports(library);
    let mut found = Imports::new();
    for module in modules(library) {
        let mut files = Vec::new();
        sources::read(&source.join(format!("{module}.rs")), &mut files)?;
        sources::read(&source.join(module), &mut files)?;
        let imported = files
            .iter()
            .flat_map(|file| imported(&file.text))
            .map(|name| owners.get(&name).cloned().unwrap_or(name))
            .filter(|name| name != module)
            .collect();
        found.insert(module.to_owned(), imported);
    }
    Ok(found)
}

/// What follows `crate::`, in braces or not.
fn imported(text: &str) -> Vec<String> {
    // What a comment names it does not import.
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code: Vec<&str> = lines.collect();
    let code = code.join("\n");
    let names = code.split("crate::").skip(1).flat_map(|rest| {
        let Some(inner) = rest.strip_prefix('{') else {
            return vec![word(rest).to_owned()];
        };
        let mut depth = 0_usize;
        let mut names = vec![String::new()];
        for it in inner.chars() {
            match it {
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                '{' => depth += 1,
                ',' if depth == 0 => names.push(String::new()),
                _ => {}
            }
            if let Some(last) = names.last_mut().filter(|_| depth == 0 && it != ',') {
                last.push(it);
            }
        }
        let words = names.iter().map(|name| word(name.trim()).to_owned());
        words.collect()
    });
    names.filter(|name| !name.is_empty()).collect()
}

/// The modules that a library declares, but for tests.
fn modules(library: &str) -> impl Iterator<Item = &str> {
    sources::without_tests(library)
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "))
        .filter_map(|rest| rest.strip_suffix(';'))
}

/// What `crate::Name` stands for: `pub use module::{Name, …}`.
fn reexports(library: &str) -> BTreeMap<String, String> {
    let uses = library.split("pub use ").skip(1);
    uses.filter_map(|rest| rest.split_once(';')?.0.split_once("::"))
        .flat_map(|(module, names)| {
            names
                .split(|it: char| !it.is_alphanumeric() && it != '_')
                .filter(|name| !name.is_empty())
                .map(move |name| (name.to_owned(), module.to_owned()))
        })
        .collect()
}

fn word(text: &str) -> &str {
    let end = text.find(|it: char| !it.is_alphanumeric() && it != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The first circle that there is, its first module again at its end.
fn circle(imports: &Imports) -> Option<Vec<String>> {
    imports.keys().find_map(|start| {
        let mut way = vec![start.clone()];
        back_to(start, imports, &mut way, &mut BTreeSet::new()).then_some(way)
    })
}

fn back_to(
    start: &str,
    imports: &Imports,
    way: &mut Vec<String>,
    seen: &mut BTreeSet<String>,
) -> bool {
    let here = way.last().and_then(|it| imports.get(it));
    for next in here.into_iter().flatten() {
        way.push(next.clone());
        if next == start || seen.insert(next.clone()) && back_to(start, imports, way, seen) {
            return true;
        }
        way.pop();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Imports, circle, imported, modules, reexports};

    #[test]
    fn what_is_imported_in_braces_counts_too() {
        let text =
            "// crate::no\nuse crate::a::{B, C};\nuse crate::{\n    D, e::{F, G}, h};\ncrate::i()";
        assert_eq!(imported(text), ["a", "D", "e", "h", "i"]);
    }

    fn imports(of: &[(&str, &[&str])]) -> Imports {
        of.iter()
            .map(|(name, imported)| {
                let imported = imported.iter().map(|it| (*it).to_owned()).collect();
                ((*name).to_owned(), imported)
            })
            .collect()
    }

    #[test]
    fn a_circle_is_shown_from_its_first_module_back_to_it() {
        let found = imports(&[
            ("driver", &["guard", "status"]),
            ("guard", &["clock"]),
            ("link", &["settings"]),
            ("settings", &["link", "clock"]),
            ("status", &["guard"]),
        ]);
        assert_eq!(
            circle(&found).unwrap_or_default(),
            ["link", "settings", "link"]
        );
    }

    #[test]
    fn one_direction_is_no_circle() {
        let found = imports(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &["std"])]);
        assert_eq!(circle(&found), None);
    }

    #[test]
    fn modules_and_what_stands_for_them_are_read() {
        let library = "mod one;\npub mod two;\npub use two::{A, B as C};\n";
        assert_eq!(modules(library).collect::<Vec<_>>(), ["one", "two"]);
        let owners = reexports(library);
        assert_eq!(owners.get("A").map(String::as_str), Some("two"));
        assert_eq!(owners.get("C").map(String::as_str), Some("two"));
    }
}
