"""XML against the user's own schema files: a folder of XSDs, found by their target namespaces.

Nothing but the folder is read: imports are resolved by namespace wherever in it the file lies, and the document type
that the schema of XML signatures names is not fetched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from v2g.views import escapes
from v2g.views.xml import etree, names, parse

XSD = "{http://www.w3.org/2001/XMLSchema}"
LARGEST_FILE = 4 << 20
MOST_FILES = 200
_SCHEME = "namespace:"


class Schemas:
    """The schema files of a folder and the folders in it. Raises ValueError for a folder that holds none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts: dict[str, bytes] = {}
        self._files: dict[str, Path] = {}
        self._imports: dict[str, list[str]] = {}
        self._compiled: dict[str, Any] = {}
        for file in _files(folder):
            self._add(file)
        if not self._texts:
            raise ValueError(f"{folder} holds no XSD; name the folder with your schema files")

    def faults(self, text: bytes, above: int = 0) -> list[str]:
        """Validate an XML document; tells what is wrong, by line, of which so many stand above the text.

        Raises ValueError if no schema file knows it.
        """
        element = parse(text)
        for each in element.iter():
            _unmark(each)
        namespace, _ = names(element)
        schema = self._schema(namespace)
        schema.validate(element.getroottree())
        return [f"line {above + error.line}: {_short(error.message)}" for error in schema.error_log]

    def _schema(self, namespace: str) -> Any:
        if namespace not in self._texts:
            raise ValueError(f"{self._folder} holds no XSD for {namespace or 'elements without namespace'}")
        if namespace not in self._compiled:
            self._check_imports(namespace)
            parser = _parser()
            parser.resolvers.add(_resolver(self._texts))
            root = etree.fromstring(self._texts[namespace], parser, base_url=_SCHEME + namespace)
            try:
                self._compiled[namespace] = etree.XMLSchema(root)
            except etree.XMLSchemaParseError as error:
                raise ValueError(f"{self._files[namespace]}: {_short(str(error))}") from error
        return self._compiled[namespace]

    def _add(self, file: Path) -> None:
        """Keep a schema file under its namespace, its document type left out and its imports led here."""
        if file.stat().st_size > LARGEST_FILE:
            raise ValueError(f"{file}: more than {LARGEST_FILE} bytes are no schema of ours; move it away")
        try:
            root = etree.fromstring(file.read_bytes(), _parser())
        except etree.XMLSyntaxError as error:
            raise ValueError(f"{file}: no XML: {_short(str(error))}") from error
        if root.tag != f"{XSD}schema":
            return
        namespace = root.get("targetNamespace", "")
        imports = list(root.iter(f"{XSD}import"))
        for reference in imports:
            reference.set("schemaLocation", _SCHEME + reference.get("namespace", ""))
        if any(True for _ in root.iter(f"{XSD}include", f"{XSD}redefine")):
            raise ValueError(f"{file} includes other files; put all of a namespace into one")
        text = etree.tostring(root)
        if self._texts.setdefault(namespace, text) != text:
            raise ValueError(
                f"{self._files[namespace]} and {file} differ, both for {namespace}; name the sub-folder you mean"
            )
        self._files.setdefault(namespace, file)
        self._imports[namespace] = [reference.get("namespace", "") for reference in imports]

    def _check_imports(self, namespace: str) -> None:
        """Raise ValueError for an import, also an import's import, that the folder does not hold."""
        todo, seen = [namespace], {namespace}
        while todo:
            each = todo.pop()
            for wanted in self._imports[each]:
                if wanted not in self._texts:
                    name = wanted or "no namespace"
                    raise ValueError(f"{self._files[each]} imports {name}; put its XSD in {self._folder}")
                if wanted not in seen:
                    seen.add(wanted)
                    todo.append(wanted)


def _resolver(texts: dict[str, bytes]) -> Any:
    """Make what leads imports to the texts by namespace, and everything else to nothing."""

    def resolve(self: Any, url: str, _public: str | None, context: Any) -> Any:
        return self.resolve_string(texts.get(url.removeprefix(_SCHEME), b""), context)

    return type("ByNamespace", (etree.Resolver,), {"resolve": resolve})()


def _parser() -> Any:
    """Make a parser that expands a file's own entities alone."""
    return etree.XMLParser(no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; name the one with your schema files")
    found = sorted(folder.rglob("*.xsd"))
    if len(found) > MOST_FILES:
        raise ValueError(f"{folder} holds {len(found)} XSDs; name a folder with the schema files alone")
    return found


def _unmark(element: Any) -> None:
    """Take the mark of escapes off an element, one character standing for each escape: schemas do not know it."""
    for what in (element.attrib.pop(escapes.MARK, None) or "").split():
        if what == escapes.TEXT:
            element.text = escapes.masked(element.text or "")
        else:
            tag = next((tag for tag in element.attrib if etree.QName(tag).localname == what), None)
            if tag is not None:
                element.set(tag, escapes.masked(element.get(tag)))


def _short(message: str) -> str:
    return "".join(character if character.isprintable() else " " for character in message)[:300]
