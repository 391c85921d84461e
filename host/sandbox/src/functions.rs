//! The contract's functions in a component: found and checked once, when it is loaded.
//!
//! The generated bindings compare the types of all functions, name by name, in each new instance:
//! that takes longer than all the rest of a call.

use crate::bindings::exports::cr8::lifeline::types::Decision as Answer;
use crate::budget::Budget;
use crate::convert::{answer, arguments};
use lifeline_contract::Call;
use lifeline_contract::types::{Decision, Moment, State};
use wasmtime::Store;
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, Lower, TypedFunc,
};

/// Where they are. Only of a component that [`crate::bindings::LifelinePre`] has instantiated:
/// the calls rely on the types that were compared then.
#[derive(Clone, Debug)]
pub(crate) struct Functions {
    start: ComponentExportIndex,
    on_connect: ComponentExportIndex,
    on_connect_error: ComponentExportIndex,
    on_disconnect: ComponentExportIndex,
    on_saved: ComponentExportIndex,
    on_request: ComponentExportIndex,
    tick: ComponentExportIndex,
}

impl Functions {
    /// None: one is not there.
    pub fn find(component: &Component, interface: &str) -> Option<Self> {
        let interface = component.get_export_index(None, interface)?;
        let find = |name: &str| component.get_export_index(Some(&interface), name);
        Some(Functions {
            start: find("start")?,
            on_connect: find("on-connect")?,
            on_connect_error: find("on-connect-error")?,
            on_disconnect: find("on-disconnect")?,
            on_saved: find("on-saved")?,
            on_request: find("on-request")?,
            tick: find("tick")?,
        })
    }

    /// One call.
    pub fn call(
        &self,
        instance: &Instance,
        store: &mut Store<Budget>,
        call: &Call,
        state: &State,
        moment: &Moment,
    ) -> wasmtime::Result<Decision> {
        let (state, moment) = (&arguments::state(state), &arguments::moment(moment));
        match call {
            Call::Start => ask(instance, store, &self.start, (moment,)),
            Call::OnConnect => ask(instance, store, &self.on_connect, (state, moment)),
            Call::OnConnectError(why) => {
                let why = arguments::connect_error(*why);
                ask(
                    instance,
                    store,
                    &self.on_connect_error,
                    (state, moment, why),
                )
            }
            Call::OnDisconnect(why) => {
                let why = arguments::loss(*why);
                ask(instance, store, &self.on_disconnect, (state, moment, why))
            }
            Call::OnSaved(outcome) => {
                let outcome = outcome.as_ref().copied().map_err(String::as_str);
                ask(instance, store, &self.on_saved, (state, moment, outcome))
            }
            Call::OnRequest(request) => {
                let request = arguments::request(*request);
                ask(instance, store, &self.on_request, (state, moment, request))
            }
            Call::Tick => ask(instance, store, &self.tick, (state, moment)),
        }
    }
}

fn ask<P: ComponentNamedList + Lower>(
    instance: &Instance,
    store: &mut Store<Budget>,
    function: &ComponentExportIndex,
    arguments: P,
) -> wasmtime::Result<Decision> {
    let Some(function) = instance.get_func(&mut *store, function) else {
        wasmtime::bail!("a function of the contract is gone");
    };
    // SAFETY: the component was instantiated by the generated bindings when it was loaded, which
    // fails unless each function has the contract's type; each is called with its own arguments.
    let function = unsafe { TypedFunc::<P, (Answer,)>::new_unchecked(function) };
    Ok(answer::decision(function.call(store, arguments)?.0))
}
