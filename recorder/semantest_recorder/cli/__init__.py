"""The commands: ``semantest`` and ``semantest-recorder``."""
