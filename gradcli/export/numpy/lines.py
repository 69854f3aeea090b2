"""What works along axes, as NumPy writes it: reductions, softmax, recurrences.

Where NumPy has no function, a helper that works along the last axis is noted, and called with the
axes moved there.
"""

from __future__ import annotations

import math
from functools import partialmethod
from typing import Any

import numpy as np

from gradcli.export.numpy.code import ATOM, POWER, Code, call, exact, fractional
from gradcli.export.numpy.elementwise import Elementwise
from gradcli.ops import numpy_helpers as helpers
from gradcli.ops.operation import Options, Type
from gradcli.ops.options import shape_text, shown


class Lines(Elementwise):
    """Operations along axes as code: a method of the row's name for each."""

    # --- reductions ----------------------------------------------------------------------

    def _norm(self, x: list[Code], out: Type, options: Options) -> Code:
        a, p, given = fractional(x[0]), options["p"], _axes(options)
        a = exact(a) if given else a
        size = f"np.abs({a.text})"
        if p == 1:
            return call("np.sum", size, *given, type=out)
        if p == np.inf:
            return call("np.max", size, *given, "initial=0.0", type=out)
        if not a.shape:
            return call("np.abs", a.text, type=out)
        if len(_gone(options["axis"], len(a.shape))) > 2 and given:
            return call("np.sqrt", f"np.sum({a.at(ATOM)}**2, {', '.join(given)})", type=out)
        return call("np.linalg.norm", a.text, *given, type=out)

    def _squared_norm(self, x: list[Code], out: Type, _options: Options) -> Code:
        (a,) = map(fractional, x)
        if not a.shape:
            return Code(f"{a.at(ATOM)}**2", POWER, out)
        return call("np.sum", f"{a.at(ATOM)}**2", type=out)

    def _with_axis(self, name: str, axis: Any, rank: int) -> str:
        """A helper with an axis in its text; its name."""
        everything = axis is None or rank <= 1
        suffix = "" if everything else "_axis" + "_".join(map(str, np.atleast_1d(axis)))
        keep = "" if everything else f", axis={shown(axis)}, keepdims=True"
        if name == "log_softmax":
            self._with_axis("log_of_sum", axis, rank)
        parameters, text = helpers.OPTIONS[name]
        self.note(name + suffix, parameters, text.format(axis=keep, suffix=suffix))
        return name + suffix

    def _normalised(self, name: str, x: list[Code], out: Type, options: Options) -> Code:
        helper = self._with_axis(name, options["axis"], len(out.shape))
        return call(helper, *(exact(fractional(a)).text for a in x), type=out)

    _softmax = partialmethod(_normalised, "softmax")
    _softmax_slope = partialmethod(_normalised, "softmax_slope")
    _log_softmax = partialmethod(_normalised, "log_softmax")

    def _logsumexp(self, x: list[Code], out: Type, options: Options) -> Code:
        a, axis, keep = exact(fractional(x[0])), options["axis"], options["keepdims"]
        rank = len(a.shape)
        if not rank:
            return a._replace(type=out)
        rest = self._with_axis("log_of_sum", axis, rank)
        kept = "" if axis is None or rank == 1 else f", axis={shown(axis)}, keepdims=True"
        name = rest.replace("log_of_sum", "logsumexp") + ("_kept" if keep else "")
        text = f"np.max(x{kept}) + {rest}(x, np.max(x{kept}))"
        if kept and not keep:
            text = f"np.squeeze({text}, axis={shown(axis)})"
        elif keep and not kept:
            text = f"np.reshape({text}, {shape_text(out.shape)})"
        self.note(name, "x", text)
        return call(name, a.text, type=out)

    # --- along an axis -------------------------------------------------------------------

    def _shift(self, x: list[Code], out: Type, options: Options) -> Code:
        a, k, fill = exact(fractional(x[0])), options["k"], float(options["fill"])
        axis = options["axis"] or 0
        n = out.shape[axis]
        if not k:
            return a
        free = (*out.shape[:axis], min(abs(k), n), *out.shape[axis + 1 :])
        blank = f"np.full({shape_text(free)}, {fill!r})"
        if abs(k) >= n:
            return Code(blank, ATOM, Type(out.shape))
        taken = f":{n - k}" if k > 0 else f"{-k}:"
        rest = f"{a.at(ATOM)}[{':, ' * axis}{taken}]"
        parts = f"({blank}, {rest})" if k > 0 else f"({rest}, {blank})"
        return call("np.concatenate", parts, f"axis={axis}" if axis else "", type=Type(out.shape))

    def _lines(self, name: str, x: list[Code], out: Type, options: Options) -> Code:
        """A helper that works along the last axis, along another one or several."""
        rank = len(out.shape)
        axes = _gone(options["axis"], rank) if rank else ()
        last = tuple(range(-len(axes), 0))
        rest = tuple(n for i, n in enumerate(out.shape) if i not in axes)
        joined = (*rest, math.prod(out.shape[i] for i in axes))
        split = (*rest, *(out.shape[i] for i in axes))
        moved = axes != tuple(range(rank - len(axes), rank))
        texts = []
        for a in x:
            text = exact(fractional(a)).text
            if moved:
                text = f"np.moveaxis({text}, {axes}, {last})"
            if joined != split:
                text = f"np.reshape({text}, {shape_text(joined)})"
            texts.append(text)
        text = f"{name}({', '.join(texts)})"
        if joined != split:
            text = f"np.reshape({text}, {shape_text(split)})"
        if moved:
            text = f"np.moveaxis({text}, {last}, {axes})"
        return Code(text, ATOM, Type(out.shape))

    def _recurring(self, name: str, x: list[Code], out: Type, options: Options) -> Code:
        return self._lines(self.needed(name), x, out, {"axis": options["axis"] or 0})

    _recurrence = partialmethod(_recurring, "recurrence")
    _recurrence_back = partialmethod(_recurring, "recurrence_back")

    def _prod_others(self, x: list[Code], out: Type, options: Options) -> Code:
        count = len(x) - 1
        if not count:
            return self._lines(self.needed("products_of_others"), x, out, options)
        name = f"products_of_others_along_{count}"
        self.note(name, *_mixed_products(count))
        return self._lines(name, x, out, options)

    def _quantile_weights(self, x: list[Code], out: Type, options: Options) -> Code:
        axes = _gone(options["axis"], len(out.shape))
        place = (math.prod(out.shape[i] for i in axes) - 1) * options["q"]
        low, part = int(place), place - int(place)
        name = f"quantile_weights_{low}_{f'{part:g}'.replace('.', '_')}"
        ends = ((low, 1 - part), (low + 1, part)) if part else ((low, 1.0),)
        text = " + ".join(
            f"{weight!r}*(x == s[..., {i}:{i + 1}])"
            f"/np.sum(x == s[..., {i}:{i + 1}], axis=-1, keepdims=True)"
            for i, weight in ends
        )
        self.note(f"{name}_of", "x, s", text)
        self.note(name, "x", f"{name}_of(x, np.sort(x, axis=-1))")
        return self._lines(name, x, out, options)


def _gone(axis: Any, rank: int) -> tuple[int, ...]:
    """The axes that an option names; all of them for None."""
    return tuple(range(rank)) if axis is None else axis if isinstance(axis, tuple) else (axis,)


def _axes(options: Options) -> list[str]:
    """`axis` and `keepdims` as arguments, where they are given."""
    axis = [] if options["axis"] is None else [f"axis={shown(options['axis'])}"]
    return [*axis, *(["keepdims=True"] if options["keepdims"] else [])]


def _mixed_products(count: int) -> tuple[str, str]:
    """Parameters and text for the products of all but several, along as many directions."""
    directions = [f"d{i + 1}" for i in range(count)]
    axes = count + 1
    marks = " + ".join(
        f"np.eye(x.shape[-1])[{', '.join(':' if j == i else 'None' for j in range(axes))}, :]"
        for i in range(axes)
    )
    lifted = "x[..., " + "None, " * axes + ":]"
    text = f"np.all({marks} <= 1, axis=-1)*np.prod(np.where({marks} > 0, 1.0, {lifted}), axis=-1)"
    for i in range(count, 0, -1):
        text = f"np.sum({text}*{directions[i - 1]}[..., {'None, ' * i}:], axis=-1)"
    return ", ".join(["x", *directions]), text
