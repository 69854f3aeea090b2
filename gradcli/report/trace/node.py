"""The trace of one node: a `Focus` in; its paths, what is sent to it, and the sum out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradcli.diagnostics.error import cell_width
from gradcli.report.numbers import folded, painted, shown
from gradcli.report.trace.listing import BLANK, Choice, Late, Line, Listing
from gradcli.trace.paths import Focus
from gradcli.trace.steps import Steps

if TYPE_CHECKING:
    from gradcli.report.style import Style


def pieces(steps: Steps, found: Focus, style: Style, choice: Choice, late: Late) -> Iterator[str]:
    """What concerns a node, in pieces."""
    listing = Listing(steps, style, choice)
    node, result = found.node, steps.result
    if node.kind == "input":
        head = f"{node.name} = {listing.inline(result.values[node.id])}"
        yield from listing.heading(f"Node {shown(node.name, style)}", [head])
    else:
        yield painted(f"Node {shown(node.name, style)}", "bold", style) + "\n"
        yield from listing.forward_line(steps.step(node))
    if result.accumulators[node.id] is None:
        yield from listing.laid_out(Line("  no gradient is sent to it", []))
        return
    if found.paths and found.paths[0].moves:
        yield "\n"
        yield from _paths(found, listing)
    yield "\n" + painted("Contributions", "bold", style) + "\n"
    for move in found.moves:
        yield from listing.backprop(move)
        yield from listing.laid_out(listing.move(move))
    if not found.moves:
        start = BLANK if choice.blank else listing.inline(result.upstream)
        note = "the pass starts here"
        yield from listing.laid_out(Line(f"  delta_{node.name}", [f"= {start}"], note))
    yield "\n" + _closing(found, listing, late) + "\n"


def _paths(found: Focus, listing: Listing) -> Iterator[str]:
    style = listing.style
    count = f"{found.number} path{'s' if found.number > 1 else ''}"
    output = listing.steps.result.output.name
    title = shown(f"{count} from {found.node.name} to {output}", style)
    yield painted(title, "bold", style) + "\n"
    for path in found.paths:
        names = [found.node.name, *(move.node.name for move in path.moves)]
        text = " → ".join(names)
        if path.factors is not None:
            product = " * ".join(map(listing.inline, path.factors))
            value = f"= {BLANK if listing.choice.blank else listing.inline(path.value)}"
            several = len(path.factors) > 1 and not listing.choice.blank
            text += f"   {product} {value}" if several else f"   {value}"
        room = style.width or cell_width(text) + 8
        first, *more = folded(shown(text, style), max(8, room - 4))
        yield "".join(f"  {part}\n" for part in (first, *(f"  {part}" for part in more)))
    if found.number > len(found.paths):
        yield f"  and {found.number - len(found.paths):,} more\n"


def _closing(found: Focus, listing: Listing, late: Late) -> str:
    """δ of the node, and what the check says of it."""
    result, style = listing.steps.result, listing.style
    name = f"delta_{found.node.name}"
    if listing.choice.blank:
        return shown(f"{name} = {BLANK}", style)
    total = listing.inline(result.accumulators[found.node.id])
    text = f"{name} = {total}"
    if len(found.moves) > 1 and not found.node.type.shape:
        first, *more = (listing.inline(move.value) for move in found.moves)
        terms = (f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in more)
        text = f"{name} = {first}{''.join(terms)} = {total}"
    checks = late().checks
    check = None if checks is None else checks.rows.get(found.node.id)
    if check is None:
        words = "not checked"
    else:
        from gradcli.check.wording import describe  # noqa: PLC0415 - not needed with --no-check

        words = f"check: {describe(check, result.accumulators[found.node.id])}"
    whole = shown(f"{text}   {words}", style)
    return "\n  ".join(folded(whole, style.width - 2) if style.width else [whole])
