"""Settings for every test of the project."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

# How long an example takes says something about the machine, not about the project.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
