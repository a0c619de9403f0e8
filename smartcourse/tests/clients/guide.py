"""Takes the two clients out of the API guide, so that what it shows is compiled and run as what is generated is."""

from __future__ import annotations

import re

from smartcourse.embedded.datafolder import PROJECT_ROOT

GUIDE = PROJECT_ROOT / "docs" / "api.md"
HERE = PROJECT_ROOT / "smartcourse" / "tests" / "clients"
CLIENTS = {"ts": HERE / "typescript/generated/guide.ts", "python": HERE / "python/generated/guide.py"}
MOST_LINES = 20


def shown(guide: str, language: str) -> str:
    """Return the one block of that language in the guide, as it stands.

    Raises:
        ValueError: there is none, or another one, or it is longer than a guide should show.
    """
    [block] = re.findall(rf"^```{language}\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    if (lines := block.count("\n")) > MOST_LINES:
        raise ValueError(f"The client in {language} has {lines} lines, and {MOST_LINES} are promised.")
    return str(block)


def main() -> None:
    guide = GUIDE.read_text()
    for language, place in CLIENTS.items():
        place.write_text(shown(guide, language))


if __name__ == "__main__":
    main()
