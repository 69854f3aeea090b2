"""The graph in Mermaid's language, for Markdown: a `Drawing` comes in, a flowchart goes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gradcli.picture.model import Drawing

_PLAIN = frozenset(" .,=+-()[]:'/")


def pieces(drawing: Drawing, *, down: bool = False) -> Iterator[str]:
    """The graph as a `flowchart`, in pieces."""
    yield f"flowchart {'TB' if down else 'LR'}\n"
    variables, inputs, operations = [], [], []
    for box in drawing.boxes.values():
        lines = [*box.above, *box.below]
        variables.append(f"v{box.id}")
        if box.title:
            number = "" if box.number is None else f" ({box.number})"
            yield f'  o{box.id}("{_text([box.title + number])}")\n'
            operations.append(f"o{box.id}")
        else:
            inputs.append(f"v{box.id}")
        yield f'  v{box.id}["{_text(lines)}"]\n'
        if box.title:
            yield f"  o{box.id} --- v{box.id}\n"
    for wire in drawing.wires:
        sent = _text(wire.contribution.split("\n"))
        label = f'|"{sent}"|' if sent else ""
        yield f"  v{wire.source} -->{label} o{wire.target}\n"
    yield "  classDef variable fill:none,stroke:none,color:#000000\n"
    yield "  classDef input fill:none,stroke:none,color:#000000,font-weight:bold\n"
    yield "  classDef operation fill:#fff3d6,stroke:#000000,color:#000000\n"
    for name, members in (("variable", variables), ("operation", operations), ("input", inputs)):
        if members:
            yield f"  class {','.join(members)} {name}\n"


def _text(lines: Iterable[str]) -> str:
    """Lines in a quoted label; what could mean something to Mermaid is written as its code."""
    return "<br/>".join(
        "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in line) for line in lines
    )
