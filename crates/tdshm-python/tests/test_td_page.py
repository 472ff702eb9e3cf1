"""The code on the page for TouchDesigner's people runs as it stands there."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import tdshm

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "python-td.md"


def test_the_code_of_the_page_runs() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) == 5
    space: dict[str, Any] = {}
    try:
        for block in blocks:
            exec(compile(block, "python-td.md", "exec"), space)
    finally:
        if "network" in space:
            space["network"].close()
        tdshm.clean("docs_td")
