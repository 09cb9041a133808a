"""Settings for every test of the project."""

import signal

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

# How long an example takes says something about the machine, not about the project.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
# For `make test`: the same code gets the same verdict. New examples are looked for by everybody's own runs.
settings.register_profile("repeatable", settings.get_profile("patient"), derandomize=True)

# A shell starts programs in the background with SIGINT ignored, and so would be what tests start to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
