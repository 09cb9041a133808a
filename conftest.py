"""Settings for every test of the project."""

pytest_plugins = ["pytester"]
