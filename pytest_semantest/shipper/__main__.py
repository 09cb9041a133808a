"""``python -I -m pytest_semantest.shipper``."""

import sys

from pytest_semantest.shipper.program import main

sys.exit(main(sys.argv[1:]))
