"""Writes what is made from code: configuration, options, commands, roles, REST, embedding, SQL, metrics, tools.

python docs/generate.py            write them
python docs/generate.py --check    exit code 1, naming them, when some are not current
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from semantest_recorder.reports.json_schema import PRINTED, page_name, schema_text

DOCS = Path(__file__).resolve().parent
sys.path.append(str(DOCS.parent))  # behind what is installed: the pages are those of the wheel where there is one

from docs.reference_pages.client import client_page  # noqa: E402
from docs.reference_pages.commands import commands_page  # noqa: E402
from docs.reference_pages.configuration import configuration_page  # noqa: E402
from docs.reference_pages.embedding import embedding_page  # noqa: E402
from docs.reference_pages.hazards import hazards_section  # noqa: E402
from docs.reference_pages.mcp import mcp_page  # noqa: E402
from docs.reference_pages.metrics import metrics_page  # noqa: E402
from docs.reference_pages.options import options_page  # noqa: E402
from docs.reference_pages.rest import rest_page  # noqa: E402
from docs.reference_pages.roles import roles_page  # noqa: E402
from docs.reference_pages.sql import sql_page  # noqa: E402
from tests.page_sections import RELIABILITY, with_section  # noqa: E402

REFERENCE = DOCS / "reference"


def pages() -> dict[Path, str]:
    """Text by file."""
    reference = {
        "configuration.md": configuration_page(),
        "options.md": options_page(),
        "cli.md": commands_page(),
        "roles.md": roles_page(),
        "client.md": client_page(),
        "embedding.md": embedding_page(),
        "sql.md": sql_page(),
        "metrics.md": metrics_page(),
        "mcp.md": mcp_page(),
        "rest.md": rest_page(),
    }
    reference |= {page_name(command): schema_text(command) for command in PRINTED}
    reliability = with_section(RELIABILITY.read_text(encoding="utf-8"), "hazards", hazards_section())
    return {REFERENCE / name: text for name, text in reference.items()} | {RELIABILITY: reliability}


def main() -> int:
    """Writes or checks; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    stale = 0
    for page, text in pages().items():
        if page.exists() and page.read_text(encoding="utf-8") == text:
            continue
        if options.check:
            stale = 1
            print(f"docs/{page.relative_to(DOCS)} is not current: run `make docs`")
        else:
            REFERENCE.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
            print(f"docs/{page.relative_to(DOCS)} written")
    return stale


if __name__ == "__main__":
    sys.exit(main())
