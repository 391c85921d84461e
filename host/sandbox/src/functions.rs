//! The contract's functions in a component: found and checked once, when it is loaded.
//!
//! To compare the types of all functions, name by name, in each new instance takes longer than all
//! the rest of a call.

use crate::bindings::exports::cr8::lifeline::types as wasm;
use crate::budget::Budget;
use crate::contract::Contract;
use crate::convert::{answer, arguments, v0_1};
use lifeline_contract::Call;
use lifeline_contract::types::{Decision, Description, Moment, State};
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, TypedFunc,
};
use wasmtime::{Store, bail};

/// Where they are. The calls rely on the types that [`Functions::check`] has compared.
#[derive(Clone, Debug)]
pub(crate) struct Functions {
    contract: Contract,
    describe: ComponentExportIndex,
    start: ComponentExportIndex,
    on_connect: ComponentExportIndex,
    on_connect_error: ComponentExportIndex,
    on_disconnect: ComponentExportIndex,
    on_saved: ComponentExportIndex,
    on_request: ComponentExportIndex,
    tick: ComponentExportIndex,
}

impl Functions {
    /// Err: what is not there.
    pub fn find(component: &Component, contract: Contract) -> Result<Self, String> {
        let interface = component
            .get_export_index(None, contract.interface().as_str())
            .ok_or("no such interface")?;
        let find = |name: &str| {
            let index = component.get_export_index(Some(&interface), name);
            index.ok_or_else(|| format!("no {name}"))
        };
        Ok(Functions {
            contract,
            describe: find("describe")?,
            start: find("start")?,
            on_connect: find("on-connect")?,
            on_connect_error: find("on-connect-error")?,
            on_disconnect: find("on-disconnect")?,
            on_saved: find("on-saved")?,
            on_request: find("on-request")?,
            tick: find("tick")?,
        })
    }

    /// The version that they are of.
    pub fn contract(&self) -> Contract {
        self.contract
    }

    /// Compares the type of each with the contract's.
    pub fn check(&self, instance: &Instance, store: &mut Store<Budget>) -> wasmtime::Result<()> {
        match self.contract {
            Contract::V0_1 => self.check_with::<v0_1::Moment>(instance, store),
            Contract::V0_2 => self.check_with::<wasm::Moment>(instance, store),
        }
    }

    fn check_with<M: Lower>(
        &self,
        instance: &Instance,
        store: &mut Store<Budget>,
    ) -> wasmtime::Result<()> {
        type Plain<'a, M> = (&'a wasm::State, &'a M);
        type With<'a, M, T> = (&'a wasm::State, &'a M, T);
        typed::<(&M,)>(instance, store, &self.start)?;
        typed::<Plain<M>>(instance, store, &self.on_connect)?;
        typed::<With<M, wasm::ConnectError>>(instance, store, &self.on_connect_error)?;
        typed::<With<M, wasm::Loss>>(instance, store, &self.on_disconnect)?;
        typed::<With<M, Result<(), &str>>>(instance, store, &self.on_saved)?;
        typed::<With<M, wasm::Request>>(instance, store, &self.on_request)?;
        typed::<Plain<M>>(instance, store, &self.tick)
    }

    /// Who it says that it is.
    pub fn describe(
        &self,
        instance: &Instance,
        store: &mut Store<Budget>,
    ) -> wasmtime::Result<Description> {
        Ok(match self.contract {
            Contract::V0_1 => v0_1::description(self.described(instance, store)?),
            Contract::V0_2 => answer::description(self.described(instance, store)?),
        })
    }

    fn described<D: Lift + 'static>(
        &self,
        instance: &Instance,
        store: &mut Store<Budget>,
    ) -> wasmtime::Result<D> {
        let describe = instance.get_typed_func::<(), (D,)>(&mut *store, &self.describe)?;
        Ok(describe.call(store, ())?.0)
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
        let state = &arguments::state(state);
        match self.contract {
            Contract::V0_1 => self.ask(instance, store, call, state, &v0_1::moment(moment)),
            Contract::V0_2 => self.ask(instance, store, call, state, &arguments::moment(moment)),
        }
    }

    fn ask<M: Lower>(
        &self,
        instance: &Instance,
        store: &mut Store<Budget>,
        call: &Call,
        state: &wasm::State,
        moment: &M,
    ) -> wasmtime::Result<Decision> {
        match call {
            Call::Start => ask(instance, store, &self.start, (moment,)),
            Call::OnConnect => ask(instance, store, &self.on_connect, (state, moment)),
            Call::OnConnectError(why) => {
                let with = (state, moment, arguments::connect_error(*why));
                ask(instance, store, &self.on_connect_error, with)
            }
            Call::OnDisconnect(why) => {
                let with = (state, moment, arguments::loss(*why));
                ask(instance, store, &self.on_disconnect, with)
            }
            Call::OnSaved(outcome) => {
                let outcome = outcome.as_ref().copied().map_err(String::as_str);
                ask(instance, store, &self.on_saved, (state, moment, outcome))
            }
            Call::OnRequest(request) => {
                let with = (state, moment, arguments::request(*request));
                ask(instance, store, &self.on_request, with)
            }
            Call::Tick => ask(instance, store, &self.tick, (state, moment)),
        }
    }
}

/// Whether a function takes that, and answers with a decision.
fn typed<P: ComponentNamedList + Lower>(
    instance: &Instance,
    store: &mut Store<Budget>,
    function: &ComponentExportIndex,
) -> wasmtime::Result<()> {
    instance
        .get_typed_func::<P, (wasm::Decision,)>(store, function)
        .map(|_| ())
}

fn ask<P: ComponentNamedList + Lower>(
    instance: &Instance,
    store: &mut Store<Budget>,
    function: &ComponentExportIndex,
    arguments: P,
) -> wasmtime::Result<Decision> {
    let Some(function) = instance.get_func(&mut *store, function) else {
        bail!("a function of the contract is gone");
    };
    // SAFETY: `Functions::check` has compared the types of this very component's functions with those
    // of the contract's version when it was loaded; each is called with its own arguments.
    let function = unsafe { TypedFunc::<P, (wasm::Decision,)>::new_unchecked(function) };
    Ok(answer::decision(function.call(store, arguments)?.0))
}
