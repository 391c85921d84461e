//! What a component imports and exports, read from its bytes before anything is compiled.

use crate::contract::{Contract, INTERFACE};
use crate::error::LoadError;
use crate::text::told;
use wasmparser::{BinaryReaderError, Encoding, FunctionBody, Operator, Parser, Payload};

/// The names at a component's boundary, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boundary {
    /// What it wants from outside.
    pub imports: Vec<String>,
    /// What it offers.
    pub exports: Vec<String>,
}

// More than this takes a compiler gigabytes, or minutes. (In brackets: what the interpreter of a policy
// in Python has.)

/// How deep components may nest (1).
const DEPTH: usize = 4;
/// Modules and components (42).
const PARTS: usize = 256;
/// Bytes of a function (427,000).
const FUNCTION: usize = 1 << 20;
/// How deep blocks may nest in a function (781).
const BLOCKS: u64 = 5_000;
/// A function's locals times the depth of its blocks (13,000), and of all functions together (353,000):
/// a local that is used in a loop is one value more in each loop around it, and takes 10 µs.
const NESTED_LOCALS: u64 = 100_000;
const ALL_NESTED_LOCALS: u64 = 1_000_000;
/// Types, imports, exports, globals, elements and pieces of data (11,000).
const DECLARATIONS: u64 = 100_000;
/// Names at the boundary of the component (21).
const NAMES: usize = 1_000;
/// Bytes of a name that are told.
const NAME: usize = 200;

impl Boundary {
    /// Reads all of a component, so that a half-written one is found out.
    pub fn read(bytes: &[u8]) -> Result<Self, LoadError> {
        if bytes.is_empty() {
            return Err(LoadError::Empty);
        }
        if !bytes.starts_with(b"\0asm") {
            return Err(LoadError::NotWasm);
        }
        let mut reading = Reading::default();
        for payload in Parser::new(0).parse_all(bytes) {
            reading.take(payload.map_err(malformed)?)?;
        }
        Ok(reading.found)
    }

    /// The contract's version that it exports.
    pub fn contract(&self) -> Option<&str> {
        self.versions().next()
    }

    fn versions(&self) -> impl Iterator<Item = &str> {
        self.exports
            .iter()
            .filter_map(|name| name.strip_prefix(INTERFACE)?.strip_prefix('@'))
    }

    /// Whether it can be a policy: it imports nothing, and speaks a version of the contract that is
    /// taken; which one.
    pub fn check(&self) -> Result<Contract, LoadError> {
        if !self.imports.is_empty() {
            return Err(LoadError::Imports(self.imports.clone()));
        }
        // Else Blender and the page might go by different ones.
        if self.versions().count() > 1 {
            let versions: Vec<_> = self.versions().collect();
            return Err(LoadError::Version(versions.join(" and ")));
        }
        match self.contract() {
            None => Err(LoadError::Contract(
                Contract::LATEST,
                "no such interface".to_owned(),
            )),
            Some(version) => {
                Contract::of(version).ok_or_else(|| LoadError::Version(version.to_owned()))
            }
        }
    }
}

/// A component as far as it was read.
#[derive(Default)]
struct Reading {
    found: Boundary,
    /// Components and modules nest; only the outermost one's boundary is of interest.
    depth: usize,
    parts: usize,
    declarations: u64,
    nested_locals: u64,
}

impl Reading {
    fn take(&mut self, payload: Payload) -> Result<(), LoadError> {
        self.declarations = self.declarations.saturating_add(declared(&payload).into());
        match payload {
            Payload::Version { encoding, .. } => self.begin(encoding)?,
            Payload::CodeSectionEntry(body) => self.function(&body)?,
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if self.depth == 1 => {
                for import in section {
                    let import = import.map_err(malformed)?;
                    self.found.imports.push(told(import.name.name, NAME));
                }
            }
            Payload::ComponentExportSection(section) if self.depth == 1 => {
                for export in section {
                    let export = export.map_err(malformed)?;
                    self.found.exports.push(told(export.name.name, NAME));
                }
            }
            _ => {}
        }
        let names = self.found.imports.len() + self.found.exports.len();
        within(names <= NAMES, "imports and exports")?;
        let declarations = self.declarations <= DECLARATIONS;
        within(declarations, "types, imports, exports and data")
    }

    fn begin(&mut self, encoding: Encoding) -> Result<(), LoadError> {
        if encoding == Encoding::Module && self.depth == 0 {
            return Err(LoadError::CoreModule);
        }
        self.depth += 1;
        self.parts += 1;
        within(self.depth <= DEPTH, "components within components")?;
        within(self.parts <= PARTS, "modules and components")
    }

    fn function(&mut self, body: &FunctionBody) -> Result<(), LoadError> {
        within(body.range().len() <= FUNCTION, "code in one function")?;
        let (locals, blocks) = shape(body).map_err(malformed)?;
        let nested = locals.saturating_mul(blocks);
        self.nested_locals = self.nested_locals.saturating_add(nested);
        within(blocks <= BLOCKS, "blocks within blocks")?;
        let few = nested <= NESTED_LOCALS && self.nested_locals <= ALL_NESTED_LOCALS;
        within(few, "locals within blocks")
    }
}

fn within(few: bool, what: &'static str) -> Result<(), LoadError> {
    few.then_some(()).ok_or(LoadError::TooMuch(what))
}

fn malformed(error: BinaryReaderError) -> LoadError {
    LoadError::Malformed(format!("{} at byte {}", error.message(), error.offset()))
}

/// How many things a section declares.
fn declared(payload: &Payload) -> u32 {
    match payload {
        Payload::TypeSection(it) => it.count(),
        Payload::ImportSection(it) => it.count(),
        Payload::ExportSection(it) => it.count(),
        Payload::GlobalSection(it) => it.count(),
        Payload::TableSection(it) => it.count(),
        Payload::ElementSection(it) => it.count(),
        Payload::DataSection(it) => it.count(),
        Payload::ComponentTypeSection(it) => it.count(),
        Payload::ComponentImportSection(it) => it.count(),
        Payload::ComponentExportSection(it) => it.count(),
        Payload::ComponentInstanceSection(it) => it.count(),
        Payload::ComponentAliasSection(it) => it.count(),
        Payload::ComponentCanonicalSection(it) => it.count(),
        Payload::InstanceSection(it) => it.count(),
        Payload::CoreTypeSection(it) => it.count(),
        _ => 0,
    }
}

/// A function's locals (without its parameters), and how deep its blocks nest.
fn shape(body: &FunctionBody) -> Result<(u64, u64), BinaryReaderError> {
    let mut locals = 0_u64;
    for group in body.get_locals_reader()? {
        locals = locals.saturating_add(group?.0.into());
    }
    let (mut depth, mut deepest) = (0_u64, 0);
    for operator in body.get_operators_reader()? {
        match operator? {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            Operator::End => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok((locals, deepest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bombs;

    const FIVE_MINUTES: &[u8] = crate::FIVE_MINUTES.component;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    /// Contents of up to 127 bytes.
    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![id, u8::try_from(content.len()).unwrap()];
        bytes.extend(content);
        bytes
    }

    /// One type, an instance that declares nothing; and `types`, an import of it.
    fn importing() -> Vec<u8> {
        let mut bytes = COMPONENT.to_vec();
        bytes.extend(section(7, &[1, 0x42, 0]));
        bytes.extend(section(10, b"\x01\x00\x05types\x05\x00"));
        bytes
    }

    #[test]
    fn two_versions_in_one_component_are_refused() {
        let mut found = Boundary::read(FIVE_MINUTES).unwrap();
        assert!(found.check().is_ok());
        found.exports.push("cr8:lifeline/policy@0.1.0".to_owned());
        let refused = found.check().unwrap_err().to_string();
        assert!(refused.contains("0.2.0 and 0.1.0"), "{refused}");
    }

    #[test]
    fn the_built_in_policy_exports_the_contract_alone() {
        let found = Boundary::read(FIVE_MINUTES).unwrap();
        assert_eq!(found.imports, Vec::<String>::new());
        assert_eq!(
            found.exports,
            ["cr8:lifeline/types@0.2.0", "cr8:lifeline/policy@0.2.0"]
        );
        assert_eq!(found.contract(), Some(Contract::LATEST.version()));
        assert_eq!(found.check().unwrap(), Contract::LATEST);
    }

    #[test]
    fn an_import_of_an_instance_without_functions_counts() {
        assert_eq!(Boundary::read(&importing()).unwrap().imports, ["types"]);
    }

    #[test]
    fn what_somebody_has_called_an_import_turns_no_terminal_round() {
        let mut bytes = COMPONENT.to_vec();
        bytes.extend(section(7, &[1, 0x42, 0]));
        bytes.extend(section(10, b"\x01\x00\x07a\x1b[2J\nb\x05\x00"));
        let found = Boundary::read(&bytes).map(|found| found.imports);
        // A reader that refuses such a name is as good.
        assert!(found.is_err() || found.unwrap() == ["a [2J b"]);
    }

    #[test]
    fn an_import_of_a_component_within_does_not_count() {
        let mut bytes = COMPONENT.to_vec();
        bytes.extend(section(4, &importing()));
        assert_eq!(Boundary::read(&bytes).unwrap(), Boundary::default());
    }

    #[test]
    fn each_kind_of_wrong_file_has_its_own_sentence() {
        let said = |bytes: &[u8]| Boundary::read(bytes).unwrap_err().to_string();
        assert_eq!(said(b""), "the file is empty");
        assert_eq!(
            said(b"(component)"),
            "it is not WebAssembly (a text, perhaps)"
        );
        assert_eq!(
            said(b"\0asm\x01\0\0\0"),
            "it is a core module; a policy is a component (see wasm-tools component new)"
        );
    }

    #[test]
    fn a_file_cut_anywhere_is_found_out() {
        for end in 1..FIVE_MINUTES.len() {
            if let Ok(found) = Boundary::read(&FIVE_MINUTES[..end]) {
                // Cut between two sections: what is lost is the contract, or remarks (custom sections).
                let remarks = FIVE_MINUTES[end] == 0;
                assert!(remarks || found.check().is_err(), "cut at {end}");
            }
        }
    }

    #[test]
    fn what_would_take_a_compiler_gigabytes_is_refused() {
        let deep = COMPONENT.to_vec();
        let nested = |count: usize| {
            let mut bytes = deep.clone();
            for _ in 0..count {
                let mut outer = deep.clone();
                outer.push(4);
                let mut length = bytes.len();
                while length >= 0x80 {
                    outer.push((length & 0x7f) as u8 | 0x80);
                    length >>= 7;
                }
                outer.push(length as u8);
                outer.extend(&bytes);
                bytes = outer;
            }
            bytes
        };
        Boundary::read(&nested(DEPTH - 1)).unwrap();
        let error = Boundary::read(&nested(200)).unwrap_err().to_string();
        assert_eq!(
            error,
            "it has more components within components than any policy needs"
        );
        let mut many = deep;
        for _ in 0..PARTS {
            many.extend(section(4, COMPONENT));
        }
        let error = Boundary::read(&many).unwrap_err().to_string();
        assert_eq!(
            error,
            "it has more modules and components than any policy needs"
        );
    }

    #[test]
    fn what_would_take_a_compiler_minutes_is_refused() {
        for (bomb, what) in [
            // 49 KB: a minute, and a gigabyte.
            (bombs::nested(4_000, 9_000), "locals within blocks"),
            // 171 KB: more than there is.
            (bombs::nested(5_000, 39_000), "locals within blocks"),
            (bombs::nested(9_000, 1), "blocks within blocks"),
            (bombs::many(500, 780, 10), "locals within blocks"),
        ] {
            let error = Boundary::read(&bomb).unwrap_err().to_string();
            assert_eq!(error, format!("it has more {what} than any policy needs"));
        }
        Boundary::read(&bombs::many(20, 780, 60)).unwrap();
    }

    #[test]
    fn more_names_than_anybody_reads_are_refused() {
        let mut bytes = COMPONENT.to_vec();
        for _ in 0..=NAMES {
            bytes.extend(section(7, &[1, 0x42, 0]));
            bytes.extend(section(10, b"\x01\x00\x05types\x05\x00"));
        }
        let error = Boundary::read(&bytes).unwrap_err().to_string();
        assert_eq!(
            error,
            "it has more imports and exports than any policy needs"
        );
    }

    #[test]
    fn two_contracts_are_taken_and_another_is_refused_by_its_version() {
        let of = |version: &str| Boundary {
            imports: vec![],
            exports: vec![format!("cr8:lifeline/policy@{version}")],
        };
        assert_eq!(of("0.1.9").check().unwrap(), Contract::V0_1);
        assert_eq!(of("0.2.0").check().unwrap(), Contract::V0_2);
        for version in ["0.3.0", "1.1.0", "0.10.0"] {
            let error = of(version).check().unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "it speaks version {version} of the contract; this host takes 0.1.0 and 0.2.0"
                )
            );
        }
    }
}
