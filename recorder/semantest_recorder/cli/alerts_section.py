"""What the configuration says of alerts, for the recorder of a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pytest_semantest.protocol.configuration import Configuration, ConfigurationError
from pytest_semantest.protocol.effective import alert_tables
from semantest_recorder.cli.configured import nearest_configuration
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.stop import EXIT_USAGE, Stop
from semantest_recorder.core.alerts.settings import AlertSettings, InvalidAlerts, read_alerts


def alerts_in(found: Configuration) -> AlertSettings:
    """The section of a configuration. Raises ``Stop`` when it cannot be used."""
    try:
        return alerts_of(found.checked(), os.environ)
    except (ConfigurationError, InvalidAlerts) as error:
        raise Stop(str(error), EXIT_USAGE) from None


def project_alerts(directory: str | None) -> AlertSettings:
    """The section for the project of a ``.semantest`` folder, which need not be there yet. Raises ``Stop``."""
    here = working_directory(directory)
    folder = semantest_folder(directory, here)
    return alerts_in(nearest_configuration(folder.parent if folder is not None else here))


def alerts_of(found: Configuration, environment: Mapping[str, str]) -> AlertSettings:
    """The section as files and variables make it. Raises ``ConfigurationError`` and ``InvalidAlerts``."""
    return read_alerts(*alert_tables(environment, found))
