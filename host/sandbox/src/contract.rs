//! The versions of the contract that are taken, and what one has that another has not.

use std::fmt;

/// The contract's interface that a policy exports; `@` and a version follow.
pub(crate) const INTERFACE: &str = "cr8:lifeline/policy";

/// A version of the contract. Until 1.0 a second number is another contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contract {
    /// `wit/0.1/policy.wit`
    V0_1,
    /// `wit/policy.wit`
    V0_2,
}

impl Contract {
    /// All that are taken.
    pub const ALL: [Self; 2] = [Contract::V0_1, Contract::V0_2];
    /// The one that new policies speak.
    pub const LATEST: Self = Contract::V0_2;

    /// As packages have it.
    pub fn version(self) -> &'static str {
        match self {
            Contract::V0_1 => "0.1.0",
            Contract::V0_2 => "0.2.0",
        }
    }

    /// The one that a policy of that version speaks. None: it is not taken.
    pub fn of(version: &str) -> Option<Self> {
        let is = |it: &Self| series(it.version()) == series(version);
        Contract::ALL.into_iter().find(is)
    }

    /// The interface of a policy that speaks it.
    pub(crate) fn interface(self) -> String {
        format!("{INTERFACE}@{}", self.version())
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version())
    }
}

/// `0.1.0 and 0.2.0`
pub(crate) fn taken() -> String {
    Contract::ALL.map(Contract::version).join(" and ")
}

/// `0.1` of `0.1.7`.
fn series(version: &str) -> Option<(&str, &str)> {
    let mut parts = version.split('.');
    Some((parts.next()?, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_number_is_no_other_contract_and_a_second_is() {
        assert_eq!(Contract::of("0.1.0"), Some(Contract::V0_1));
        assert_eq!(Contract::of("0.1.9"), Some(Contract::V0_1));
        assert_eq!(Contract::of("0.2.1"), Some(Contract::V0_2));
        for other in ["0.3.0", "0.10.0", "1.2.0", "0", "", "latest"] {
            assert_eq!(Contract::of(other), None, "{other}");
        }
    }
}
