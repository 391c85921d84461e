"""The same: wasmtime's own Python package, a store and an instance for each call."""

from __future__ import annotations

import sys
from typing import Any

from wasmtime import Config, Engine, Store
from wasmtime.component import Component, Linker, Record

from lifeline_bench.competitors.pace import serve

INTERFACE = "cr8:lifeline/policy@0.2.0"
FUEL = 50_000_000

config = Config()
config.consume_fuel = True
engine = Engine(config)
component = Component.from_file(engine, sys.argv[1])
linker = Linker(engine)


def call(name: str, *arguments: Any) -> Any:
    store = Store(engine)
    store.set_fuel(FUEL)
    instance = linker.instantiate(store, component)
    interface = instance.get_export_index(store, INTERFACE)
    function = instance.get_func(store, instance.get_export_index(store, name, interface))
    return function(store, *arguments)


def moment(now: int) -> Record:
    made = Record()
    made.now = now
    made.due = made.entropy = made.settings = made.scene = None
    setattr(made, "cut-off", None)
    return made


connected = call("on-connect", call("start", moment(0)).state, moment(0)).state
lost = call("on-disconnect", connected, moment(1_000), "transport-error").state
serve(lambda: call("tick", lost, moment(2_000)))
