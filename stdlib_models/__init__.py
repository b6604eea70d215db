"""The models that come with dvdt: which file of this folder holds each one, and its other names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class LibraryModel:
    """Where a model of the library stands, and what else it answers to."""

    file: str
    aliases: tuple[str, ...] = ()


LIBRARY: Mapping[str, LibraryModel] = {
    "if_": LibraryModel("integrate_and_fire.dvdt", ("if", "integrate_and_fire")),
    "lif": LibraryModel("integrate_and_fire.dvdt", ("leaky_integrate_and_fire",)),
    "lif_adaptive_threshold": LibraryModel("integrate_and_fire.dvdt", ("lif_theta", "homeostatic_lif")),
    "alif": LibraryModel("integrate_and_fire.dvdt", ("adaptive_lif",)),
    "qif": LibraryModel("spike_initiation.dvdt", ("quadratic_if", "quad_lif")),
    "eif": LibraryModel("spike_initiation.dvdt", ("exp_lif", "elif", "exponential_if")),
    "adex": LibraryModel("spike_initiation.dvdt", ("aeif", "aelif", "adaptive_exponential_if")),
    "izhikevich": LibraryModel("spike_initiation.dvdt", ("izh",)),
    "fitzhugh_nagumo": LibraryModel("oscillator.dvdt", ("fhn",)),
    "hodgkin_huxley": LibraryModel("conductance_based.dvdt", ("hh",)),
    "traub_miles": LibraryModel("conductance_based.dvdt"),
    "glif5": LibraryModel("generalized.dvdt", ("glif",)),
}


def text_of(file: str) -> str:
    """The text of one file of the library."""
    return files(__name__).joinpath(file).read_text(encoding="utf-8")
