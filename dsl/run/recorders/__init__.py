"""What a run keeps: spikes and other events, and the quantities that were asked for."""

from .state import record as record
