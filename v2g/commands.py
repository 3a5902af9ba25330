"""The commands of the codec: `decode` and `encode`."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from v2g.protocols import SCHEMAS

if TYPE_CHECKING:
    from v2g.views.input import Given
    from v2g.views.page import Form
    from v2g.views.reading import Look
    from v2g.views.xsd import Schemas

T = TypeVar("T")

STANDARD = "-"
MOST_FAULTS = 20
WIDTH = 100
"""Columns of a tree that goes elsewhere than to a terminal."""

_schema = click.option("--schema", type=click.Choice(SCHEMAS), default=None, help="The schema set; else it is guessed.")
_fragment = click.option("--fragment", is_flag=True, help="A fragment, as signatures are made over, not a document.")
_fragment_or_document = click.option(
    "--fragment/--document",
    default=None,
    help="A fragment, as signatures are made over, or a document; else documents come first.",
)
_xsd = click.option(
    "--xsd",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="Check the XML against the XSDs in this folder.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def v2g() -> None:
    """Read and write messages of DIN 70121 and ISO 15118."""


@v2g.command()
@click.argument("source", metavar="HEX|FILE|-", nargs=-1, required=True)
@_schema
@_fragment_or_document
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines and for `encode`.")
@click.option("--xml", "as_xml", is_flag=True, help="Print XML.")
@click.option("--explain", is_flag=True, help="List every bit with its meaning.")
@_xsd
def decode(
    source: tuple[str, ...],
    schema: str | None,
    xsd: Path | None,
    *,
    fragment: bool | None,
    as_json: bool,
    as_xml: bool,
    explain: bool,
) -> None:
    """Print messages: EXI documents or fragments, or V2GTP frames; hex, a file with either, or - for stdin.

    The exit status is 0 when all of it was read, also when several schema sets fit; 1 when something could not be
    read, when most of it belongs to no message, or when it does not pass --xsd.
    """
    from v2g.views.page import page
    from v2g.views.reading import hint, looks

    form = _form(as_json=as_json, as_xml=as_xml, explain=explain)
    given = _told(lambda: _given(source))
    schemas = _schemas(xsd, fragment=bool(fragment))
    found, problems = looks(given, schema or "", fragment=fragment)
    width = shutil.get_terminal_size((WIDTH, 0)).columns if sys.stdout.isatty() else WIDTH
    _print(_told(lambda: page(found, form, width=width)))
    failures = [*(told for look in found for told in look.problems), *problems]
    if schemas is not None:
        failures += _told(lambda: _checked(found, schemas))
    hints = [told for look in found if (told := hint(look, schema or ""))]
    if failures:
        raise click.ClickException("\n".join([*failures, *hints]))
    for told in hints:
        click.echo(f"Hint: {told}", err=True)


@v2g.command()
@click.argument("source", metavar="FILE|-")
@_schema
@_fragment
@click.option("--frame", "framed", is_flag=True, help="Put the V2GTP header before each message.")
@click.option("--raw", is_flag=True, help="Write bytes instead of hex.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of stdout.")
@click.option("--lenient", is_flag=True, help="Write values out of range too, as far as they can be read.")
@_xsd
def encode(
    source: str,
    schema: str | None,
    output: Path | None,
    xsd: Path | None,
    *,
    fragment: bool,
    framed: bool,
    raw: bool,
    lenient: bool,
) -> None:
    """Write the messages of a JSON or XML file, or - for standard input, as EXI: a line of hex each.

    JSON is what `decode --json` prints, or its message alone. The exit status is 1 when something cannot be written.
    """
    from v2g.views.writing import Wish, drafts, numbered

    if raw and output is None and sys.stdout.isatty():
        raise click.UsageError("--raw writes bytes; name a file with -o, or redirect the output")
    content = _told(lambda: _content(source))
    schemas = _schemas(xsd, fragment=fragment)
    check = None if schemas is None else lambda text: _pass(text, schemas)
    messages = _told(
        lambda: drafts(content, Wish(schema=schema or "", fragment=fragment, strict=not lenient, check=check))
    )

    def written() -> Iterator[bytes]:
        for number, message in enumerate(messages, 1):
            with numbered(number, len(messages)):
                yield message.encode(strict=not lenient, framed=framed)

    data = _told(lambda: list(written()))
    for number, message in enumerate(messages, 1):
        for remark in message.remarks:
            click.echo(f"Note: {f'message {number}: ' if len(messages) > 1 else ''}{remark}", err=True)
    result = b"".join(data) if raw else "".join(f"{each.hex()}\n" for each in data).encode()
    if output is None:
        click.echo(result, nl=False)
    else:
        _told(lambda: output.write_bytes(result))


# Input and output


def _form(*, as_json: bool, as_xml: bool, explain: bool) -> Form:
    """Tell the one form that is wanted."""
    wanted: list[Form] = []
    wanted += ["json"] * as_json
    wanted += ["xml"] * as_xml
    wanted += ["explain"] * explain
    if len(wanted) > 1:
        raise click.UsageError(f"--{' and --'.join(wanted)} exclude each other; keep one")
    return wanted[0] if wanted else "tree"


def _given(sources: tuple[str, ...]) -> Given:
    """Take an argument for a file if there is one of that name, else all for hex. Raises ValueError and OSError."""
    from v2g.views.input import from_content, from_hex

    source = "\n".join(sources)
    files = [each for each in sources if each == STANDARD or _is_there(each)]
    if files and len(sources) > 1:
        raise click.UsageError(f"{_short(files[0])} is a file; name one at a time, and no hex beside it")
    try:
        given = from_content(_content(source)) if files else from_hex(source)
    except ValueError as error:
        raise ValueError(f"{_short(source)}{'' if files else ' is neither a file nor hex'}: {error}") from error
    if not given.data:
        raise ValueError(f"{_short(source)} holds no bytes")
    return given


def _is_there(source: str) -> bool:
    """Tell whether a file has this name, which may be no name for a file at all."""
    try:
        return bool(source) and Path(source).exists()
    except OSError:
        return False


def _content(source: str) -> bytes:
    """Read a file or standard input, no more than can be meant seriously. Raises OSError."""
    from v2g.views.input import LARGEST

    if source == STANDARD:
        return sys.stdin.buffer.read(LARGEST + 1)
    with Path(source).open("rb") as file:
        return file.read(LARGEST + 1)


def _print(text: str) -> None:
    """Print what a terminal may not be able to show."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    click.echo(text, nl=False)


def _told(work: Callable[[], T]) -> T:
    """Do what may fail for what the user handed over; tells it in a line and ends with 1."""
    try:
        return work()
    except ModuleNotFoundError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{_short(str(error.filename))}: {error.strerror}") from error
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _short(source: str) -> str:
    """Tell an argument in an error."""
    return ascii(source) if len(source) <= 60 else f"{source[:60]!a}..."


# Checks


def _schemas(folder: Path | None, *, fragment: bool) -> Schemas | None:
    """Load the user's schema files."""
    if folder is None:
        return None
    if fragment:
        raise click.UsageError("--xsd checks documents; leave out --fragment or --xsd")

    def load() -> Schemas:
        from v2g.views.xsd import Schemas

        return Schemas(folder)

    return _told(load)


def _checked(found: list[Look], schemas: Schemas) -> list[str]:
    """Tell what does not pass the user's schema files, by the lines of what `--xml` prints."""
    from v2g.views import page

    faults = []
    above = int(len(found) > 1)
    for look in found:
        text = page.xml(look)
        if look.fragment:
            faults.append(f"{look.where}--xsd checks documents, and this is a fragment")
        elif look.guess.fits:
            faults += [look.where + fault for fault in _faults(text.encode(), schemas, above)]
        above += text.count("\n")
    return faults


def _pass(text: bytes, schemas: Schemas) -> None:
    """Raise ValueError unless a document passes the user's schema files."""
    faults = _faults(text, schemas)
    if faults:
        raise ValueError("\n".join(faults))


def _faults(text: bytes, schemas: Schemas, above: int = 0) -> list[str]:
    """Tell what does not pass, as much of it as anybody reads."""
    faults = [f"--xsd: {fault}" for fault in schemas.faults(text, above)]
    more = len(faults) - MOST_FAULTS
    return faults if more <= 0 else [*faults[:MOST_FAULTS], f"--xsd: and {more} more"]
