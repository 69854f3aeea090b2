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
  graph [rankdir=%s, nodesep=0.2, ranksep=0.2, bgcolor=white, pad=0.15, outputorder=edgesfirst]
  node [fontname="Helvetica,Arial,sans-serif", fontsize=14, margin="0.14,0.07", height=0.42]
  edge [fontname="Helvetica,Arial,sans-serif", fontsize=12, arrowsize=0.65, penwidth=1.2]
"""
BLUE, GREY = "#0055a4", "#555555"
PLAIN = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2"'
FILL = {"operation": "#fff3d6", "constant": "#eeeeee"}


def pieces(drawing: Drawing, *, down: bool = False) -> Iterator[str]:
    """The graph as a `digraph`, in pieces, from left to right or from top to bottom."""
    start, end = ("wire:n", "wire:s") if down else ("w", "e")
    yield HEAD % ("TB" if down else "LR")
    for box in drawing.boxes.values():
        if box.title:
            yield _operation(box)
            yield f"  o{box.id} -> v{box.id}:{start} [arrowhead=none, weight=8]\n"
        is_bold = not box.title or box.id == drawing.output
        label = _variable(box, is_bold=is_bold, down=down)
        yield f"  v{box.id} [shape=plain, margin=0, label=<{label}>]\n"
        if box.id in drawing.forks:
            yield f"  f{box.id} [shape=point, width=0.09, height=0.09]\n"
            yield f"  v{box.id}:{end} -> f{box.id} [arrowhead=none, weight=8]\n"
    for wire in drawing.wires:
        source = f"f{wire.source}" if wire.source in drawing.forks else f"v{wire.source}:{end}"
        label = ""
        if wire.contribution:
            text = _html(wire.contribution.split("\n"))
            label = f' [label=<<FONT COLOR="{BLUE}">&#160;{text}&#160;</FONT>>]'
        yield f"  {source} -> o{wire.target}{label}\n"
    yield "}\n"


def _operation(box: Box) -> str:
    number = ""
    if box.number is not None:
        number = f' <FONT POINT-SIZE="10" COLOR="{GREY}">({box.number})</FONT>'
    style = f'shape=box, style="rounded,filled", fillcolor="{FILL[box.kind]}"'
    return f"  o{box.id} [{style}, label=<{_html([box.title])}{number}>]\n"


def _variable(box: Box, *, is_bold: bool, down: bool) -> str:
    """A variable on a wire: the value above it and δ below; on a wire down, left and right."""
    above = _html(box.above)
    above = f"<B>{above}</B>" if is_bold else above
    below = f'<FONT COLOR="{BLUE}">{_html(box.below)}</FONT>' if box.below else "&#160;"
    if not down:
        cell = '<TR><TD ALIGN="LEFT" BALIGN="LEFT">{}</TD></TR>'
        return f"<TABLE {PLAIN}>{cell.format(above)}<HR/>{cell.format(below)}</TABLE>"
    wire = '<TD PORT="wire" BGCOLOR="black" WIDTH="1" CELLPADDING="0"></TD>'
    return (
        f'<TABLE {PLAIN}><TR><TD BALIGN="LEFT">{above}&#160;</TD>{wire}'
        f'<TD BALIGN="LEFT">&#160;{below}</TD></TR></TABLE>'
    )


def _html(lines: Iterable[str]) -> str:
    """Lines in a label: special characters escaped, and the blanks of a matrix kept."""
    return "<BR/>".join(escape(line).replace("  ", "&#160;&#160;") for line in lines)
