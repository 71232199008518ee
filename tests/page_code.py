"""The code in pages of the documentation, as one program for each page."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from frameworks import STUBS

FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
SHELLS = ("bash", "sh")
FRAMEWORKS = ("anomalib", "distributed", "kornia", "lightning", "monai", "torchvision")
"""Packages that pages import and that may be missing where tests run."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the page where it begins."""

    language: str
    text: str
    line: int

    def missing(self) -> list[str]:
        """Frameworks that its Python imports and that cannot be imported."""
        named = set(re.findall(r"^ *(?:from|import) (\w+)", self.text, re.MULTILINE))
        return [name for name in FRAMEWORKS if name in named and not _imports(name)]

    def commands(self) -> Iterator[list[str]]:
        """The words of every `nsa-augment` command, the name of the program left out; variables are 1."""
        shown = self.text if self.language in SHELLS else ""
        for line in shown.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&?", line):
                words = shlex.split(re.sub(r"\$\w+", "1", part), comments=True)
                if words[:1] == ["nsa-augment"]:
                    yield words[1:]


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page in their order."""
    return [
        Block(found[2], textwrap.dedent(found[3]), page.count("\n", 0, found.start()) + 1)
        for found in FENCED.finditer(page)
    ]


def inline_commands(page: str) -> list[list[str]]:
    """Commands in the text of a page, without those that leave something open ("...", "COMMAND")."""
    text = FENCED.sub("", page)
    found = (" ".join(code.split()) for code in re.findall(r"`(nsa-augment [^`]+)`", text))
    return [shlex.split(line)[1:] for line in found if "..." not in line and "COMMAND" not in line]


def program(parts: list[Block], runs: Callable[[list[str]], bool]) -> str:
    """Python and commands of blocks, one after the other; a YAML block that begins with `# NAME` becomes that file.

    Worker processes import the program: commands are not for them, and start none.
    """
    written = [STUBS, "from pathlib import Path", "import commands"]
    for block in parts:
        if block.language == "python":
            written.append(block.text)
        elif block.language in SHELLS:
            chosen = filter(runs, block.commands())
            written += (_guarded(f"commands.check({_without_workers(words)!r})") for words in chosen)
        elif block.language == "yaml" and (name := re.match(r"# (\S+\.yaml)\n", block.text)):
            written.append(_guarded(f"Path({name[1]!r}).write_text({block.text!r})"))
    return "\n\n".join(written)


def joined(*parts: str) -> str:
    """Parts of one program."""
    return "\n\n".join(map(textwrap.dedent, parts))


def _guarded(statement: str) -> str:
    return f'if __name__ == "__main__":\n    {statement}'


def _without_workers(words: list[str]) -> list[str]:
    return [*words, "--workers", "0"] if words[0] in ("generate", "verify") else words


def _imports(name: str) -> bool:
    try:
        import_module(name)
    except (ImportError, RuntimeError):  # torchvision without its operators
        return False
    return True
