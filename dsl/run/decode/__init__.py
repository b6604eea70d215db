"""Decoders, readouts, actions and rewards: what a network's answer is, read from results.

Every function takes a Result, or several of them where a batch is meant (one Result a sample), and gives NumPy arrays. Spikes count in
the step that makes them: step k is the one from t_k to t_{k+1}. Names in brackets are those of SPAIC and of mlGeNN.
"""

from .actions import (
    first_spike_action,
    highest_spikes_action,
    highest_voltage_action,
    pop_rate_action,
    random_action,
    softmax_action,
)
from .complex_spikes import (
    complex_conv,
    complex_count,
    complex_latency,
    complex_phase,
    complex_timing_distance,
    complex_trajectory,
    time_softmax,
)
from .counts import (
    first_spike,
    first_spike_time,
    raster,
    spike_conv,
    spike_count,
    spike_counts,
    spike_rate,
    spike_rates,
    time_spike_counts,
)
from .rewards import classify_reward, da_reward, environment_reward, global_reward, xor_reward
from .voltages import (
    average_voltage,
    final_step_voltage,
    max_voltage,
    sum_voltage,
    v_t,
    voltage_sum,
    weighted_average_voltage,
)

# the names that mlGeNN and SPAIC know them by
var, sum_var, avg_var, max_var = final_step_voltage, sum_voltage, average_voltage, max_voltage
avg_var_exp_weight = weighted_average_voltage
null = raster

__all__ = [
    "average_voltage",
    "avg_var",
    "avg_var_exp_weight",
    "classify_reward",
    "complex_conv",
    "complex_count",
    "complex_latency",
    "complex_phase",
    "complex_timing_distance",
    "complex_trajectory",
    "da_reward",
    "environment_reward",
    "final_step_voltage",
    "first_spike",
    "first_spike_action",
    "first_spike_time",
    "global_reward",
    "highest_spikes_action",
    "highest_voltage_action",
    "max_var",
    "max_voltage",
    "null",
    "pop_rate_action",
    "random_action",
    "raster",
    "softmax_action",
    "spike_conv",
    "spike_count",
    "spike_counts",
    "spike_rate",
    "spike_rates",
    "sum_var",
    "sum_voltage",
    "time_softmax",
    "time_spike_counts",
    "v_t",
    "var",
    "voltage_sum",
    "weighted_average_voltage",
    "xor_reward",
]
