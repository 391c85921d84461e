//! A whole policy from the machine: who it is, and what it makes of the settings.

use crate::contract::{
    ConnectError, Decision, Description, Loss, Moment, Request, Settings, State,
};
use crate::machine;
use alloc::string::{String, ToString};
use core::marker::PhantomData;
use lifeline_contract::Policy;

/// What one policy on top of the machine has of its own; [`policy!`](crate::policy) fills it in.
pub trait Character: 'static {
    /// As in the contract's `description`.
    const NAME: &str;
    /// The crate's own.
    const VERSION: &str;
    /// One sentence.
    const ABOUT: &str;
    /// As in the contract's `description`.
    const DEPARTS: &[&str] = &[];

    /// What the machine is told instead of this moment; left out, the same.
    fn moment(moment: Moment) -> Moment {
        moment
    }
}

/// The machine as it is, for a program that calls it as a library.
impl Character for () {
    const NAME: &str = "machine";
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    const ABOUT: &str = "The default policy's machine.";
}

/// The machine behind the contract.
pub struct Machine<C>(PhantomData<C>);

impl<C: Character> Policy for Machine<C> {
    fn describe() -> Description {
        Description {
            name: C::NAME.to_string(),
            version: C::VERSION.to_string(),
            about: C::ABOUT.to_string(),
            departs: C::DEPARTS.iter().map(ToString::to_string).collect(),
        }
    }

    fn start(moment: Moment) -> Decision {
        machine::start(C::moment(moment))
    }

    fn on_connect(state: State, moment: Moment) -> Decision {
        machine::on_connect(state, C::moment(moment))
    }

    fn on_connect_error(state: State, moment: Moment, why: ConnectError) -> Decision {
        machine::on_connect_error(state, C::moment(moment), why)
    }

    fn on_disconnect(state: State, moment: Moment, why: Loss) -> Decision {
        machine::on_disconnect(state, C::moment(moment), why)
    }

    fn on_saved(state: State, moment: Moment, outcome: Result<(), String>) -> Decision {
        machine::on_saved(state, C::moment(moment), outcome)
    }

    fn on_request(state: State, moment: Moment, request: Request) -> Decision {
        machine::on_request(state, C::moment(moment), request)
    }

    fn tick(state: State, moment: Moment) -> Decision {
        machine::tick(state, C::moment(moment))
    }
}

/// The moment with other settings: what `adapt` makes of the host's, or of the defaults.
pub fn with_settings(mut moment: Moment, adapt: impl FnOnce(Settings) -> Settings) -> Moment {
    let settings = moment.settings.take().unwrap_or_default();
    moment.settings = Some(adapt(settings));
    moment
}

/// Makes a policy component of the crate: the machine under another name, with other numbers. The
/// version is the crate's own.
///
/// ```ignore
/// lifeline_machine::policy! {
///     name: "ten-minutes",
///     about: "Like five-minutes, but with twice the time.",
///     departs: ["countdown"],
///     settings: |settings| Settings {
///         cleanup_timeout: settings.cleanup_timeout.saturating_mul(2),
///         ..settings
///     },
/// }
/// ```
///
/// `settings` is a function, or a closure without captures, from what the host says (or the
/// defaults) to what the machine goes by. Left out, that is the same. `moment`, in its place, is one
/// from all that the host says of a call; [`with_settings`] helps it. `departs` are the rules of
/// `lifeline verify` from which the policy departs on purpose.
#[macro_export]
macro_rules! policy {
    (
        name: $name:literal, about: $about:literal
        $(, departs: $departs:expr)?
        $(, settings: $settings:expr)?
        $(, moment: $moment:expr)? $(,)?
    ) => {
        /// What this policy has of its own.
        pub struct Own;

        impl $crate::Character for Own {
            const NAME: &str = $name;
            const VERSION: &str = ::core::env!("CARGO_PKG_VERSION");
            const ABOUT: &str = $about;
            $(const DEPARTS: &[&str] = &$departs;)?

            $(fn moment(moment: $crate::contract::Moment) -> $crate::contract::Moment {
                $moment(moment)
            })?

            $(fn moment(moment: $crate::contract::Moment) -> $crate::contract::Moment {
                $crate::with_settings(moment, $settings)
            })?
        }

        /// The component's policy.
        pub type Component = $crate::Machine<Own>;

        $crate::lifeline_contract::policy!(Component);
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Attempt, Outage, Phase};

    mod twice {
        use crate::contract::Settings;

        crate::policy! {
            name: "twice",
            about: "Twice the time for a connect.",
            departs: ["connects"],
            settings: |settings| Settings {
                connect_timeout: settings.connect_timeout * 2,
                ..settings
            },
        }
    }

    mod as_it_is {
        crate::policy! { name: "as-it-is", about: "The machine." }
    }

    /// When the first connect is given up.
    fn given_up_at<P: Policy>(settings: Option<Settings>) -> u64 {
        let moment = Moment {
            settings,
            ..Moment::at(0)
        };
        match P::start(moment).state.phase {
            Phase::Reconnecting(Outage {
                attempt: Attempt::UnderWay(until),
                ..
            }) => until,
            phase => panic!("{phase:?}"),
        }
    }

    #[test]
    fn the_settings_are_adapted_whether_the_host_gives_them_or_not() {
        let host = Settings {
            connect_timeout: 300,
            ..Settings::default()
        };
        assert_eq!(given_up_at::<twice::Component>(None), 20_000);
        assert_eq!(given_up_at::<twice::Component>(Some(host.clone())), 600);
        assert_eq!(given_up_at::<as_it_is::Component>(Some(host)), 300);
    }

    #[test]
    fn it_says_who_it_is() {
        let who = twice::Component::describe();
        assert_eq!(
            (who.name.as_str(), who.about.as_str()),
            ("twice", "Twice the time for a connect.")
        );
        assert_eq!(who.version, env!("CARGO_PKG_VERSION"));
        assert_eq!(who.departs, ["connects"]);
        assert!(as_it_is::Component::describe().departs.is_empty());
    }
}
