"""dvdt: write a neuron as text, run it at the speed of the machine.

    import dvdt

    result = dvdt.simulate("adex", "1 s", n=100, parameters={"I": "700 pA"}, record=["v"])
    result.plot()

The public names are listed in `dir(dvdt)`; each is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .dsl.errors import ModelError as ModelError
    from .dsl.errors import RunError as RunError
    from .dsl.errors import UsageError as UsageError
    from .dsl.model import Model as Model
    from .dsl.registry import Registry as Registry
    from .dsl.registry import load as load
    from .dsl.registry import load_library as load_library
    from .dsl.registry import model as model
    from .dsl.registry import models as models
    from .dsl.registry import register as register
    from .dsl.run import decode as decode
    from .dsl.run.distributions import normal as normal
    from .dsl.run.distributions import uniform as uniform
    from .dsl.run.inputs.csv import from_csv as from_csv
    from .dsl.run.inputs.function import function as function
    from .dsl.run.inputs.noise import noise as noise
    from .dsl.run.inputs.ramp import ramp as ramp
    from .dsl.run.inputs.series import TimedSeries as TimedSeries
    from .dsl.run.inputs.spike_times import spike_times as spike_times
    from .dsl.run.inputs.step import step as step
    from .dsl.run.loading import load_result as load_result
    from .dsl.run.population import Population as Population
    from .dsl.run.recorders import record as record
    from .dsl.run.result import Result as Result
    from .dsl.run.simulate import resume as resume
    from .dsl.run.simulate import simulate as simulate
    from .dsl.run.simulation import Simulation as Simulation
    from .dsl.surrogates import surrogate as surrogate

__version__ = "0.1.0"

# the module that holds each public name
_HOMES = {
    "Model": "dsl.model",
    "ModelError": "dsl.errors",
    "Population": "dsl.run.population",
    "Registry": "dsl.registry",
    "Result": "dsl.run.result",
    "RunError": "dsl.errors",
    "Simulation": "dsl.run.simulation",
    "TimedSeries": "dsl.run.inputs.series",
    "UsageError": "dsl.errors",
    "from_csv": "dsl.run.inputs.csv",
    "function": "dsl.run.inputs.function",
    "load": "dsl.registry",
    "load_library": "dsl.registry",
    "load_result": "dsl.run.loading",
    "model": "dsl.registry",
    "models": "dsl.registry",
    "noise": "dsl.run.inputs.noise",
    "normal": "dsl.run.distributions",
    "ramp": "dsl.run.inputs.ramp",
    "record": "dsl.run.recorders",
    "register": "dsl.registry",
    "resume": "dsl.run.simulate",
    "simulate": "dsl.run.simulate",
    "spike_times": "dsl.run.inputs.spike_times",
    "step": "dsl.run.inputs.step",
    "surrogate": "dsl.surrogates",
    "uniform": "dsl.run.distributions",
}

_MODULES = {"decode": "dsl.run.decode"}

__all__ = ["__version__", "backends", *_HOMES, *_MODULES]


def __getattr__(name: str) -> object:
    if name == "backends":  # the folder of that name, which can be called
        return import_module(".backends", __name__)
    if name in _MODULES:
        return import_module(f".{_MODULES[name]}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module 'dvdt' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
