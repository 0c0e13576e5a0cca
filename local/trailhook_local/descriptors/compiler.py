"""From a descriptor's YAML to the compiled JSON that the functions load: what is wrong is said by line and field."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from trailhook.descriptor import FORMAT
from trailhook.partner import COMMON_HEADERS
from trailhook_local.descriptors.form import DESCRIPTOR
from trailhook_local.descriptors.readers import Problem, Problems

_REMEDIES = {
    "'\\t'": "indent with blanks, not with tabs",
    "that cannot start any token": "put the text in quotes",
    "but got '['": "put a path with brackets in quotes",
    "but got ':'": "is a brace not closed, or is a text with a colon and a blank in it not in quotes?",
    "but got '{'": "put a text with braces in it in quotes",
    "but got '<scalar>'": "is a comma missing, or is a text with braces in it not in quotes?",
    "but found '<scalar>'": "put the whole text in quotes",
    "mapping values are not allowed": "is a text with a colon and a blank not in quotes, or a colon missing before?",
    "block": "is this line indented like those that it belongs to?",
}
"""What PyYAML says, and what usually has to be done about it; the first whose words stand there counts."""


class DescriptorError(Exception):
    """A descriptor that cannot be compiled: one line for each thing that is wrong."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        super().__init__("\n".join(f"{file}:{p.line}: {p.field}: {p.message}" for p in problems))
        self.problems = problems


def compile_descriptor(text: str, file: str) -> dict[str, Any]:
    """The compiled form of a descriptor's text. Raises DescriptorError; `file` is what its lines begin with."""
    try:
        return _compiled(text, file)
    except RecursionError as error:
        raise DescriptorError(file, [Problem(1, "(file)", "is nested too deeply, or an alias is in itself")]) from error


def _compiled(text: str, file: str) -> dict[str, Any]:
    node = _parsed(text, file)
    problems = Problems()
    spec: dict[str, Any] = DESCRIPTOR(node, "", problems)
    for field, message in _contradictions(spec):
        problems.add(node, field, message)
    if problems.found:
        raise DescriptorError(file, sorted(problems.found, key=lambda problem: problem.line))
    return {"format": FORMAT, "proofs": [], **spec, "headers": sorted(set(_headers(spec["kinds"])))}


def _parsed(text: str, file: str) -> yaml.Node:
    """The YAML as nodes, which know their lines. Raises DescriptorError."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DescriptorError(file, [Problem(line, "(file)", f"not YAML: {_told(error)}")]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise DescriptorError(file, [Problem(line, "(file)", f"not YAML: {error.reason}")]) from error
    if node is None:
        raise DescriptorError(file, [Problem(1, "(file)", "is empty")])
    return node


def _contradictions(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong between fields that are right by themselves: the field to change, and why."""
    names = [kind.get("name") for kind in spec.get("kinds", ())]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield "kinds", f"two are named {name!r}; ids depend on the name"
    tokens = {proof.get("header") for proof in spec.get("proofs", ()) if proof.get("kind") == "token"}
    kept = {*COMMON_HEADERS, *_headers(spec.get("kinds", ())), spec.get("delivery_id")}
    for name in sorted((tokens & kept) - {None, ""}):
        yield "proofs", f"{name} holds the secret, so nothing else may be read from it"


def _told(error: yaml.MarkedYAMLError) -> str:
    """PyYAML's message, with the line on which the part begins that it could not read, and the usual remedy."""
    context = error.context or ""
    if context.startswith("while") and error.context_mark:
        context += f" that begins in line {error.context_mark.line + 1}"
    told = ", ".join(filter(None, (context, error.problem)))
    return "; ".join([told, *[remedy for words, remedy in _REMEDIES.items() if words in told][:1]])


def compile_file(source: Path) -> dict[str, Any]:
    """The compiled form of a descriptor's file, which is named after the partner. Raises DescriptorError, OSError."""
    try:
        text = source.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DescriptorError(str(source), [Problem(1, "(file)", "not UTF-8: save it as UTF-8 text")]) from error
    spec = compile_descriptor(text, str(source))
    if spec["name"] != source.stem:
        problem = Problem(1, "name", f"is {spec['name']!r}, so the file must be {spec['name']}{source.suffix}")
        raise DescriptorError(str(source), [problem])
    return spec


def compiled_text(spec: dict[str, Any]) -> str:
    """What a compiled file holds: the same text for the same descriptor."""
    return json.dumps(spec, indent=1, ensure_ascii=False) + "\n"


def _headers(value: Any) -> Iterator[str]:
    """Every header that a mapping reads. The keys of a `map` are values of events, of which one may be `header`."""
    if isinstance(value, dict):
        if isinstance(value.get("header"), str):
            yield value["header"]
        for name, member in value.items():
            if name != "map":
                yield from _headers(member)
    elif isinstance(value, list):
        for item in value:
            yield from _headers(item)
