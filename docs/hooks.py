"""What MkDocs calls while it builds the site."""

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from generated import PARTS


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the generated parts into a page; an unknown name is an error."""
    return re.sub(r"^<!-- generated: (\w+) -->$", lambda found: PARTS[found[1]](), markdown, flags=re.MULTILINE)


def on_page_content(html: str, **_: Any) -> str:
    """Drop the marks of footnotes in docstrings, which numpydoc knows and Markdown does not."""
    return re.sub(r" ?\[\d+\]_|\.\. \[\d+\] ", "", html)
