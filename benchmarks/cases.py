"""The neurons that are timed: the parameters, drive and start of the peers' drivers, so that all do the same work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Case:
    """A text, its scheme and step (ms), the range of the constant drive I, and where v starts.

    `peer` is its name among the peers; empty where they do not have it.
    """

    peer: str
    text: str
    method: str
    dt: float
    drive: tuple[float, float]
    start: tuple[float, float]


LIF = """
dv/dt = (E_L + I - v) / tau : mV (unless refractory)
tau = 20 ms; E_L = -65 mV; I : mV
spike when v > -50 mV: v = -65 mV
refractory 2 ms
"""
NOISE = """
dv/dt = (E_L + I - v)/tau + sigma*sqrt(2/tau)*xi : mV (unless refractory)
tau = 20 ms; E_L = -65 mV; sigma = 3 mV; I : mV
spike when v > -50 mV: v = -65 mV
refractory 2 ms
"""
NOISY_CURRENT = """
dv/dt = (E_L + I + x - v)/tau : mV (unless refractory)
dx/dt = -x/tau_x + sigma*sqrt(2/tau_x)*xi : mV
tau = 20 ms; E_L = -65 mV; sigma = 6 mV; tau_x = 5 ms; I : mV
spike when v > -50 mV: v = -65 mV
refractory 2 ms
"""
IZHIKEVICH = """
time in ms
dv/dt = 0.04*v^2 + 5*v + 140 - u + I
du/dt = a*(b*v - u)
a = 0.02; b = 0.2; c = -65; d = 8; I : 1
u(0) = b*v
spike when v >= 30: v = c; u += d
"""
ADEX = """
dv/dt = (g_L*(E_L - v) + g_L*Delta_T*exp((v - V_T)/Delta_T) - w + I) / C : mV
dw/dt = (a*(v - E_L) - w) / tau_w : pA
C = 281 pF; g_L = 30 nS; E_L = -70.6 mV; V_T = -50.4 mV; Delta_T = 2 mV
tau_w = 144 ms; a = 4 nS; b = 80.5 pA; I : pA
spike when v > -40.4 mV: v = E_L; w += b
"""
# Traub & Miles as in Brette et al. 2007, area 20000 um^2
HODGKIN_HUXLEY = """
dv/dt = (g_L*(E_L - v) + g_Na*m^3*h*(E_Na - v) + g_K*n^4*(E_K - v) + I) / C : mV
dm/dt = alpha_m*(1 - m) - beta_m*m
dn/dt = alpha_n*(1 - n) - beta_n*n
dh/dt = alpha_h*(1 - h) - beta_h*h
x = v - V_T
alpha_m = 0.32/mV/ms * (13 mV - x) / (exp((13 mV - x)/(4 mV)) - 1)
beta_m = 0.28/mV/ms * (x - 40 mV) / (exp((x - 40 mV)/(5 mV)) - 1)
alpha_n = 0.032/mV/ms * (15 mV - x) / (exp((15 mV - x)/(5 mV)) - 1)
beta_n = 0.5/ms * exp((10 mV - x)/(40 mV))
alpha_h = 0.128/ms * exp((17 mV - x)/(18 mV))
beta_h = 4/ms / (1 + exp((40 mV - x)/(5 mV)))
C = 200 pF; g_L = 10 nS; E_L = -65 mV; E_K = -90 mV; E_Na = 50 mV
g_Na = 20000 nS; g_K = 6000 nS; V_T = -63 mV; I : pA
spike when v > -20 mV
refractory 3 ms
"""

CASES: Mapping[str, Case] = {
    "lif": Case("lif", LIF, "exact", 0.1, (15.3, 24.0), (-65.0, 15.0 * 0.999)),
    "noise": Case("noise", NOISE, "euler_maruyama", 0.1, (10.0, 18.0), (-65.0, 15.0 * 0.999)),
    "noisy_current": Case("", NOISY_CURRENT, "euler_maruyama", 0.1, (10.0, 18.0), (-65.0, 15.0 * 0.999)),
    "izhikevich": Case("izh", IZHIKEVICH, "euler", 0.1, (5.0, 14.0), (-65.0, 10.0)),
    "adex": Case("adex", ADEX, "euler", 0.1, (800.0, 1600.0), (-70.6, 15.0)),
    "hodgkin_huxley": Case("hh", HODGKIN_HUXLEY, "exponential_euler", 0.05, (200.0, 600.0), (-65.0, 5.0)),
}


def golden(n: int) -> NDArray[np.float64]:
    """A low-discrepancy sequence in [0, 1): spreads the phases without a random generator."""
    return np.asarray((np.arange(n) * 0.6180339887498949) % 1.0)


def drive(case: Case, n: int) -> NDArray[np.float64]:
    return np.linspace(*case.drive, n)


def start(case: Case, n: int) -> NDArray[np.float64]:
    low, spread = case.start
    return low + spread * golden(n)


Timer = Callable[[], float]
