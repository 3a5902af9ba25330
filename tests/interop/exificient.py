"""EXIficient as an oracle for EXI: the classes in Josev's jar, on the schemas of the same package.

The driver `Exificient.java` is compiled when tests run; nothing of the peer is kept.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.interop.josev import ENVIRONMENT

DRIVER = Path(__file__).parent / "Exificient.java"
SCHEMAS = {
    "sap": "V2G_CI_AppProtocol.xsd",
    "xmldsig": "xmldsig-core-schema.xsd",
    "din": "din_spec/V2G_CI_MsgDef.xsd",
    "iso2": "iso15118_2/V2G_CI_MsgDef.xsd",
    "iso20.common": "iso15118_20/V2G_CI_CommonMessages.xsd",
    "iso20.ac": "iso15118_20/V2G_CI_AC.xsd",
    "iso20.dc": "iso15118_20/V2G_CI_DC.xsd",
    "iso20.wpt": "iso15118_20/V2G_CI_WPT.xsd",
    "iso20.acdp": "iso15118_20/V2G_CI_ACDP.xsd",
}
COMPILED = {
    "sap": "CommonAppProtocol",
    "xmldsig": "XMLDSIG_Core_Schema_Grammar",
    "din": "DINSpec_70121",
    "iso2": "ISO15118_2Grammar",
    "iso20.common": "ISO15118_20_V2G_CI_CommonMessages",
    "iso20.ac": "ISO15118_20_V2G_CI_AC",
    "iso20.dc": "ISO15118_20_V2G_CI_DC",
    "iso20.wpt": "ISO15118_20_V2G_CI_WPT",
    "iso20.acdp": "ISO15118_20_V2G_CI_ACDP",
}
"""The grammars Josev runs on, as classes of the jar; they treat full lists in their own way."""

Stream = Literal["document", "fragment"]


def _shared() -> Path | None:
    return next(iter(sorted(ENVIRONMENT.glob("lib/python*/site-packages/iso15118/shared"))), None)


def obstacle() -> str:
    """Say why EXIficient cannot run here; empty when it can."""
    if _shared() is None:
        return f"no Josev in {ENVIRONMENT}: run `make provision`, or set PLUGCHARGE_PEER"
    if shutil.which("javac") is None:
        return "no JDK on PATH: run `make provision`"
    return ""


class Exificient:
    """A running EXIficient; loads a schema set when first asked about it. A context manager."""

    def __init__(self, folder: Path) -> None:
        shared = _shared()
        assert shared is not None
        jar = str(shared / "EXICodec.jar")
        self._schemas = folder / "schemas"
        _copy_schemas(shared / "schemas", self._schemas)
        subprocess.run(["javac", "-cp", jar, "-d", str(folder), str(DRIVER)], check=True, timeout=60)
        self._process = subprocess.Popen(
            ["java", "-Xmx512m", "-cp", f"{jar}:{folder}", "Exificient"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="ascii",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=10)
        assert self._process.stdout
        self._process.stdout.close()

    def encode(
        self, name: str, xml: bytes, stream: Stream = "document", *, tables: bool = False, compiled: bool = False
    ) -> bytes:
        """Turn XML into EXI of a schema set; `tables` lets it refer to texts sent before.

        `compiled` takes the grammars in the jar instead of those of the schema. Raises ValueError with its complaint.
        """
        grammars = f"@{COMPILED[name]}" if compiled else str(self._schemas / SCHEMAS[name])
        return self._ask(f"encode {stream} {'tables' if tables else 'plain'} {grammars}", xml)

    def decode(self, name: str, exi: bytes, stream: Stream = "document") -> bytes:
        """Turn EXI of a schema set into XML. Raises ValueError with its complaint."""
        return self._ask(f"decode {stream} plain {self._schemas / SCHEMAS[name]}", exi)

    def _ask(self, question: str, data: bytes) -> bytes:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{question} {data.hex()}\n")
        self._process.stdin.flush()
        answer, _, rest = self._process.stdout.readline().strip().partition(" ")
        if answer != "ok":
            raise ValueError(rest)
        return bytes.fromhex(rest)


def _copy_schemas(source: Path, folder: Path) -> None:
    """Put the schemas where they find each other and Java needs nothing from the web."""
    shutil.copytree(source, folder)
    signature = folder / "xmldsig-core-schema.xsd"
    # Java would fetch the document type.
    signature.write_text(re.sub(r"<!DOCTYPE.*?\]>", "", signature.read_text(), flags=re.DOTALL))
    for own in ("din_spec", "iso15118_20"):
        shutil.copy(signature, folder / own)
