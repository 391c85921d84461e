//! What a component imports and exports, read from its bytes.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasmparser::{Encoding, Parser, Payload};

/// The names at a component's boundary, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Boundary {
    pub imports: Vec<String>,
    pub exports: Vec<String>,
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, names) in [("imports", &self.imports), ("exports", &self.exports)] {
            writeln!(f, "{title}: {}", names.len())?;
            for name in names {
                writeln!(f, "  {name}")?;
            }
        }
        Ok(())
    }
}

/// The boundary of the component in a file.
pub fn read(file: &Path) -> Result<Boundary> {
    let bytes = fs::read(file).with_context(|| {
        format!(
            "{} cannot be read; `cargo xtask build` makes the policies",
            file.display()
        )
    })?;
    boundary(&bytes).with_context(|| format!("{} is not a readable component", file.display()))
}

fn boundary(bytes: &[u8]) -> Result<Boundary> {
    let mut found = Boundary::default();
    // Components and modules nest; only the outermost one's boundary is of interest.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } if depth == 0 => {
                bail!("it is a core module, not a component");
            }
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    found.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    found.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::boundary;

    /// Names of up to 127 bytes.
    fn section(id: u8, content: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut bytes = vec![id, u8::try_from(content.len())?];
        bytes.extend(content);
        Ok(bytes)
    }

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn an_import_of_an_instance_without_functions_counts() -> anyhow::Result<()> {
        let mut bytes = COMPONENT.to_vec();
        // One type: an instance type that declares nothing.
        bytes.extend(section(7, &[1, 0x42, 0])?);
        // One import by plain name: `types`, an instance of it.
        bytes.extend(section(10, b"\x01\x00\x05types\x05\x00")?);
        let found = boundary(&bytes)?;
        assert_eq!(found.imports, ["types"]);
        assert!(found.exports.is_empty());
        Ok(())
    }

    #[test]
    fn an_import_of_a_component_within_does_not_count() -> anyhow::Result<()> {
        let mut inner = COMPONENT.to_vec();
        inner.extend(section(7, &[1, 0x42, 0])?);
        inner.extend(section(10, b"\x01\x00\x05types\x05\x00")?);
        let mut bytes = COMPONENT.to_vec();
        bytes.extend(section(4, &inner)?);
        assert!(boundary(&bytes)?.imports.is_empty());
        Ok(())
    }

    #[test]
    fn a_core_module_is_refused() {
        let Err(error) = boundary(b"\0asm\x01\0\0\0") else {
            panic!("a module was taken")
        };
        assert!(error.to_string().contains("core module"), "{error}");
    }
}
