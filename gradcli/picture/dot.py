"""The graph in Graphviz' language.

A variable is a node of its own: a table of two rows whose middle line goes on with the wire on
both sides, so that the value stands above the wire and δ below it whatever Graphviz does to the
layout. Nothing is told by colour alone: δ is written before what is blue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from gradcli.picture.model import Box, Drawing

HEAD = """\
digraph gradcli {
  graph [rankdir=LR, nodesep=0.18, ranksep=0.22, bgcolor=white, pad=0.15, outputorder=edgesfirst]
  node [fontname="Helvetica,Arial,sans-serif", fontsize=14, margin="0.14,0.07", height=0.42]
  edge [fontname="Helvetica,Arial,sans-serif", fontsize=12, arrowsize=0.65, penwidth=1.2]
"""
BLUE, GREY = "#0055a4", "#555555"
FILL = {"operation": "#fff3d6", "constant": "#eeeeee"}


def pieces(drawing: Drawing) -> Iterator[str]:
    """The graph as a `digraph`, in pieces."""
    yield HEAD
    for box in drawing.boxes.values():
        yield from _box(box, is_output=box.id == drawing.output)
        if box.id in drawing.forks:
            yield f"  f{box.id} [shape=point, width=0.09, height=0.09]\n"
            yield f"  v{box.id}:e -> f{box.id} [arrowhead=none, weight=8]\n"
    for wire in drawing.wires:
        start = f"f{wire.source}" if wire.source in drawing.forks else f"v{wire.source}:e"
        label = ""
        if wire.contribution:
            text = _html([wire.contribution])
            label = f' [label=<<FONT COLOR="{BLUE}">&#160;{text}&#160;</FONT>>]'
        yield f"  {start} -> o{wire.target}{label}\n"
    yield "}\n"


def _box(box: Box, *, is_output: bool) -> Iterator[str]:
    if box.title:
        size = ' <FONT POINT-SIZE="10" COLOR="{}">({})</FONT>'.format(GREY, box.number)
        label = _html([box.title]) + (size if box.number is not None else "")
        style = f'shape=box, style="rounded,filled", fillcolor="{FILL[box.kind]}"'
        yield f"  o{box.id} [{style}, label=<{label}>]\n"
        yield f"  o{box.id} -> v{box.id}:w [arrowhead=none, weight=8]\n"
    bold = ("<B>", "</B>") if not box.title or is_output else ("", "")
    above = bold[0] + _html(box.above) + bold[1]
    below = f'<FONT COLOR="{BLUE}">{_html(box.below)}</FONT>' if box.delta else "&#160;"
    rows = f'<TR><TD ALIGN="LEFT" BALIGN="LEFT">{above}</TD></TR><HR/>'
    rows += f'<TR><TD ALIGN="LEFT" BALIGN="LEFT">{below}</TD></TR>'
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{rows}</TABLE>'
    yield f"  v{box.id} [shape=plain, margin=0, label=<{table}>]\n"


def _html(lines: Iterable[str]) -> str:
    """Lines in a label: special characters escaped, and the blanks of a matrix kept."""
    return "<BR/>".join(escape(line).replace("  ", "&#160;&#160;") for line in lines)
