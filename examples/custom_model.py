"""A model of one's own: written as text, registered by name, extended, and run like those of the library."""

import dvdt

dvdt.register(
    """
    model resonate_and_fire:
        # Damped oscillator with a threshold. Izhikevich 2001, Neural Netw. 14:883.
        dx/dt = b*x - omega*y + I
        dy/dt = omega*x + b*y
        b = -0.02 /ms            # damping
        omega = 0.25 /ms         # angular frequency
        I = 0 /ms                # input
        y_th = 1                 # threshold
        x(0) = 0
        y(0) = 0
        spike when y > y_th: x = 0; y = 1
        refractory 2 ms
    """,
    aliases=["raf"],
)

model = dvdt.model("raf")
print(model.parameters)
print(model.explain(dt="0.1 ms"))

# Two weak pulses make it fire when they come a period apart (25 ms), and not when they come half a period apart.
for gap in (25.0, 12.5):
    pulses = model.extend(f"I = 0.8 /ms * (t % ({gap} ms) < 1 ms) * (t < {gap + 1} ms)", name=f"pulses_{gap:g}".replace(".", "_"))
    result = dvdt.simulate(pulses, "60 ms", record=["x", "y"])
    print(f"pulses {gap} ms apart: {len(result.spikes.t)} spikes, y reaches {result['y'].max():.2f}")
