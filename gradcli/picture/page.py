"""The trace as a page: one HTML file that goes through both passes step by step.

Steps come in, pieces of HTML go out. The page stands by itself: the graph as SVG, the listing with
a sentence for each step, a style sheet and a script (`page.css`, `page.js`), and nothing from a
network. Without the script, and on paper, all steps are there. Where every value is a number, the
page has the passes in JavaScript as well, and its inputs can be changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from html import escape
from importlib.resources import files
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.ops.javascript import FUNCTIONS
from gradcli.picture.model import NARROW, drawing, headed, value_lines
from gradcli.picture.recompute import recompute
from gradcli.picture.svg import MOST_BOXES, Picture
from gradcli.report.document import html_head
from gradcli.report.numbers import number, shown
from gradcli.report.tables import rows
from gradcli.report.trace.listing import Choice, Late, Listing, note
from gradcli.syntax.header import MARK
from gradcli.trace.explain import Explained, Explainer

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.trace.steps import Move, Step, Steps

WIDE = 700
"""A picture of more pixels than this stands above the listing, where there is no room beside it."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
DELTA = re.compile(r"\bdelta_(\w+)")


def pieces(steps: Steps, style: Style, choice: Choice, late: Late) -> Iterator[str]:
    """The page. `late` gives the checked result for its last line."""
    return _Page(steps, style, choice, late).pieces()


class _Page:
    """What the page is made from. A step of the page is a line of the listing."""

    def __init__(self, steps: Steps, style: Style, choice: Choice, late: Late) -> None:
        self.steps, self.style, self.choice, self.late = steps, style, choice, late
        self.explainer = Explainer(steps)
        self.listing = Listing(steps, style, choice)
        self.data: list[dict[str, Any]] = []

    @cached_property
    def moves(self) -> list[Move]:
        """The lines of the backward pass."""
        return [*self.steps.moves()] if self.choice.backward else []

    @cached_property
    def program(self) -> dict[str, Any] | None:
        """The passes in JavaScript, if they can be written there."""
        if not self.choice.forward or np.ndim(self.steps.result.upstream):
            return None
        found = recompute(self.steps)
        graph = self.steps.graph
        if found is None or not graph.inputs:
            return None
        used = sorted(
            f for f in FUNCTIONS if re.search(rf"\b{f}\(", found.forward + " ".join(found.locals))
        )
        return {
            "functions": {name: FUNCTIONS[name] for name in used},
            "forward": found.forward,
            "locals": found.locals if self.moves else (),
            "inputs": [[i, float(self.steps.result.values[i])] for i in graph.inputs],
            "upstream": float(self.steps.result.upstream) if self.moves else None,
        }

    def pieces(self) -> Iterator[str]:
        """The whole page."""
        lines = [line.rstrip() for line in self.steps.result.program.splitlines()]
        program = [line for line in lines if line and not line.startswith(MARK)]
        head = escape(shown(program[0], self.style))
        wide = "wide" if self.picture is not None and self.picture.size[0] > WIDE else ""
        title = f"{head} – backpropagation step by step"
        body = f'<body class="{wide}">'
        yield html_head(title, _asset("page.css"), policy=POLICY, body=body)
        yield from self._header(program)
        yield '<main>\n<figure id="picture" tabindex="0" aria-label="computational graph">\n'
        if self.picture is None:
            yield f"<p>A graph of more than {MOST_BOXES} nodes has no picture here.</p>\n"
        else:
            yield from self.picture.pieces("computational graph")
        yield '</figure>\n<section id="listing" aria-label="steps">\n'
        yield from self._steps()
        yield "</section>\n</main>\n"
        yield self._script()
        yield "</body>\n</html>\n"

    # --- above ---------------------------------------------------------------------------

    def _header(self, program: list[str]) -> Iterator[str]:
        text = "\n".join(escape(shown(line, self.style)) for line in program)
        yield f'<header>\n<pre id="program">{text}</pre>\n'
        if self.program is not None:
            yield '<form id="inputs" aria-label="inputs">'
            for i, value in self.program["inputs"]:
                name = escape(shown(self.steps.graph.nodes[i].name, self.style))
                yield (
                    f'<label>{name} = <input type="number" step="any" data-input="{i}" '
                    f'value="{number(value, 17)}"></label> '
                )
            yield '<button type="reset">reset</button></form>\n'
        else:
            inputs = ", ".join(self.listing.inputs(self.steps.result))
            yield f'<p id="point">{escape(shown(inputs, self.style))}</p>\n'
        yield (
            '<nav id="controls" aria-label="steps" hidden>\n'
            '<button type="button" data-go="first" aria-label="to the start">|◀</button>\n'
            '<button type="button" data-go="back" aria-label="step back">◀</button>\n'
            '<input type="range" id="slider" min="0" value="0" aria-label="step">\n'
            '<button type="button" data-go="next" aria-label="next step">▶</button>\n'
            '<button type="button" data-go="last" aria-label="to the end">▶|</button>\n'
            '<output id="place" for="slider"></output>\n</nav>\n'
            '<div id="now" aria-live="polite" hidden></div>\n</header>\n'
        )

    @cached_property
    def picture(self) -> Picture | None:
        """The graph; None where it is too large to be read."""
        found = drawing(self.steps, self.style, self.choice, narrow=True)
        if len(found.boxes) > MOST_BOXES:
            return None
        return Picture(found, changing=self.program is not None)

    # --- steps ---------------------------------------------------------------------------

    def _steps(self) -> Iterator[str]:
        if self.choice.forward:
            yield '<div class="pass"><h2>Forward pass</h2>\n<ol>\n'
            for step in self.steps.steps():
                yield self._forward(step)
            yield "</ol></div>\n"
        if self.choice.backward:
            yield '<div class="pass"><h2>Backward pass</h2>\n'
            yield from self._backward_pass()
            yield "</div>\n"

    def _backward_pass(self) -> Iterator[str]:
        if not self.moves:
            yield "<p>There are no inputs, so there is no gradient.</p>\n"
            return
        yield "<ol>\n" + self._start() + "</ol>\n"
        places = iter(range(len(self.moves)))
        for _, moves in groupby(self.moves, key=attrgetter("step")):
            for i, move in enumerate(moves):
                if i == 0:
                    own = self.steps.step(move.node)
                    text = self._code(f"{own.node.name} = {own.expression}")
                    mark = f'<span class="mark">({move.step})</span>'
                    yield f"<h3>Backprop {text} {mark}</h3>\n<ol>\n"
                yield self._backward(move, next(places))
            yield "</ol>\n"
        yield self._closing()

    def _forward(self, step: Step) -> str:
        words = self.explainer.forward(step)
        mark = "" if step.number is None else f"({step.number})"
        if np.ndim(step.value) == 0:
            numbers = "= " + self._number(f"v{step.node.id}", step.value)
        else:
            shapes = self.listing.shapes(step.node.type.shape, step.tree)
            numbers = self._block([*shapes, *self.listing.value_lines(step.value)])
        self.data.append({"kind": "forward", "node": step.node.id})
        return self._item(f"{step.node.name} = {step.expression}", numbers, mark, words)

    def _start(self) -> str:
        output, value = self.steps.result.output, self.steps.result.upstream
        numbers = f"= {escape(self.listing.inline(value))}"
        if np.ndim(value):
            numbers = self._block(self.listing.value_lines(value))
        self.data.append({"kind": "start", "node": output.id, "after": self._lines(value)})
        words = Explained((self.explainer.start(),))
        return self._item(f"delta_{output.name}", numbers, "", words)

    def _backward(self, move: Move, k: int) -> str:
        self.data.append(
            {"kind": "backward", "node": move.node.id, "to": move.to.id, "move": k}
            | {"after": self._lines(move.accumulator)}
        )
        words = self.explainer.backward(move)
        if self.program is None or move.local_value is None:
            line = self.listing.move(move)
            return self._item(move.text, self._block(line.values), line.note, words)
        upstream, local = self._number(f"u{k}", move.upstream), f"l{k}"
        sent = f"{upstream} × {self._number(local, move.local_value)}"
        if move.before is not None:
            sent = f"{self._number(f'b{k}', move.before)} + {sent}"
        numbers = f"= {sent}<br>= {self._number(f'a{k}', move.accumulator)}"
        return self._item(move.text, numbers, note(move), words)

    def _item(self, text: str, numbers: str, mark: str, words: Explained) -> str:
        here = f' <span class="here">{escape(" ".join(words.here))}</span>' if words.here else ""
        said = self._deltas(escape(shown(" ".join(words.always), self.style)))
        return (
            f'<li class="step" data-step="{len(self.data)}"><a class="formula" '
            f'href="#step-{len(self.data)}" id="step-{len(self.data)}">{self._code(text)}</a>'
            f'<span class="numbers">{numbers}</span><span class="mark">{mark}</span>'
            f'<p class="words">{said}{here}</p></li>\n'
        )

    def _closing(self) -> str:
        result = self.steps.result
        top = escape(shown(rows.objective(result), self.style))
        items = []
        for name, value in result.gradient.items():
            text = escape(self.listing.gradient_text(value))
            if np.ndim(value) == 0:
                text = self._number(f"g{self.steps.graph.input_numbers[name]}", value)
            items.append(f"∂{top}/∂{escape(shown(name, self.style))} = {text}")
        checked = self.late()
        return (
            f'<p id="gradient"><b>Gradient</b> {"&ensp;".join(items)}</p>\n'
            f'<p id="checked" class="{checked.verdict}">{escape(rows.checked(checked))} '
            "with finite differences</p>\n"
        )

    # --- texts ---------------------------------------------------------------------------

    def _code(self, text: str) -> str:
        """A formula; δ of a node as a sign with its index."""
        return f"<code>{self._deltas(escape(shown(text, self.style)))}</code>"

    def _deltas(self, text: str) -> str:
        return DELTA.sub(lambda m: f"δ<sub>{m[1]}</sub>", text)

    def _number(self, key: str, value: Any) -> str:
        """A number that the page may compute anew."""
        return f'<b data-n="{key}">{escape(number(float(value), self.style.precision))}</b>'

    def _block(self, lines: Iterable[str]) -> str:
        """Lines of numbers as they stand."""
        return f'<span class="lines">{chr(10).join(map(escape, lines))}</span>'

    def _lines(self, value: Any) -> list[str]:
        """An accumulator, as the picture shows it at its wire."""
        return headed("δ", value_lines(value, self.style, NARROW))

    def _script(self) -> str:
        functions = ""
        if self.program is not None:  # no names of users are among what is written here
            used, forward, slopes = map(self.program.pop, ("functions", "forward", "locals"))
            functions = "".join(f"const {name} = {text};\n" for name, text in used.items())
            functions += f"const forward = (v) => {{{forward}}};\n"
            functions += f"const locals = [{','.join(f'(v) => {t}' for t in slopes)}];\n"
        data = {
            "precision": self.style.precision,
            "steps": self.data,
            "program": self.program,
            "names": {i: shown(n.name, self.style) for i, n in enumerate(self.steps.graph.nodes)},
        }
        text = json.dumps(data, allow_nan=False, separators=(",", ":"), default=str)
        text = (
            text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        )
        return (
            f'<script type="application/json" id="data">{text}</script>\n'
            f"<script>\n{functions}{_asset('page.js')}</script>\n"
        )


def _asset(name: str) -> str:
    """A file of this package."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
