"""The functions of libraries that are more than one row, or whose meaning differs by library.

Each takes where it is called, the node, the family of the library, and the arguments.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.python import spellings
from gradcli.python.einsum import contraction
from gradcli.python.library_calls import Keywords, LibraryCalls
from gradcli.python.tape import described
from gradcli.python.values import (
    Array,
    Builtin,
    Scalar,
    Value,
    Where,
    has_traced,
    is_traced,
    unread,
)

Arguments = list[Value]
Function = Callable[["ArrayCalls", Where, Any, str, Arguments, Keywords], Value]


def _taken(arguments: Arguments, keywords: Keywords, *names: str, **more: Any) -> list[Value]:
    """The arguments in the order of their names; `more` have defaults. Raises `Unread`."""
    given = list(arguments)
    found = []
    for name in (*names, *more):
        if given:
            found.append(given.pop(0))
        elif name in keywords:
            found.append(keywords[name])
        elif name in more:
            found.append(more[name])
        else:
            raise unread(f"the argument '{name}' is missing")
    unknown = set(keywords) - {*names, *more}
    if given or any(keywords[k] is not None for k in unknown):
        raise unread(
            f"an argument is not read: {', '.join(sorted(unknown)) or 'there are too many'}"
        )
    return found


class ArrayCalls(LibraryCalls):
    """Functions on arrays."""

    def special(self, family: str, name: str) -> Function | None:
        """The method for a function that needs one."""
        return FUNCTIONS.get(f"{family}.{name}") or (
            FUNCTIONS.get(name) if family != "other" else None
        )

    # --- makers ---

    def _array(
        self, where: Where, node: Any, family: str, arguments: Arguments, keywords: Keywords
    ) -> Value:
        """`np.array`, `np.asarray`, `torch.tensor`."""
        del node, family
        value = arguments[0] if arguments else 0.0
        dtype = arguments[1] if len(arguments) > 1 else keywords.get("dtype")
        if isinstance(value, Array):
            found: Value = self.copied(value, where)
        elif isinstance(value, tuple | list | range):
            found = self.numeric(value, where)
        elif self.is_number(value):
            found = value
        else:
            raise unread(f"{described(value)} is no array of numbers")
        return found if dtype is None else self.cast(found, dtype, where)

    def _same(
        self, where: Where, node: Any, family: str, arguments: Arguments, keywords: Keywords
    ) -> Value:
        """`np.asarray` of an array is the array itself."""
        if isinstance(arguments[0], Array) and len(arguments) == 1 and "dtype" not in keywords:
            return arguments[0]
        return self._array(where, node, family, arguments, keywords)

    def copied(self, value: Value, where: Where) -> Value:
        """A copy of an array."""
        del where
        if not isinstance(value, Array):
            return value
        node = self.tape.node(value)
        if node is None:
            return self.tape.plain(np.array(self.tape.value(value)))
        return self.tape.wrap(node, value.root.kind) if self.tape.types[node].shape else value

    def cast(self, value: Value, dtype: Value, where: Where) -> Value:
        """A number or array of another type; whole numbers are cut off at the point."""
        name = dtype.name if isinstance(dtype, Builtin) else dtype
        kind = spellings.TYPES.get(name, "f") if isinstance(name, str) else "f"
        value = self.numeric(value, where)
        if not is_traced(value):
            to: Any = {"f": np.float64, "i": np.int64, "b": np.bool_}[kind]
            plain = self.tape.value(value)
            return self.tape.plain(np.asarray(plain).astype(to))
        own = self.kind(value)
        node = self.tape.operand(value)
        assert isinstance(node, int)
        if kind == "b" and own != "b":
            return self.apply("not_equal", [value, 0.0], where, kind="b")
        if kind == "i" and own == "f":
            one = where._replace(operands=where.operands[:1])
            size = self.apply("floor", [self.apply("abs", [value], one)], one)
            return self.apply("mul", [self.apply("sign", [value], one), size], where, kind="i")
        return self.tape.wrap(node, kind)

    def _filled(
        self,
        where: Where,
        node: Any,
        family: str,
        arguments: Arguments,
        keywords: Keywords,
        fill: Value,
    ) -> Value:
        """`zeros`, `ones`, `full`: of numbers that do not depend on an input."""
        del node
        dtype = keywords.pop("dtype", None)
        shape = keywords.pop("shape", keywords.pop("size", None))
        if shape is None:
            if family == "torch" and len(arguments) > 1:
                shape = tuple(arguments)
            else:
                shape = arguments[0] if arguments else ()
                dtype = dtype or (arguments[1] if len(arguments) > 1 else None)
        lengths = self.shape_of(shape)
        kind = spellings.TYPES.get(getattr(dtype, "name", dtype) or "float", "f")
        plain = self.tape.value(fill)
        if has_traced(fill):
            return self.apply("full", [fill], where, {"shape": lengths})
        self.budget.keep(8 * math.prod(lengths))
        to: Any = {"f": np.float64, "i": np.int64, "b": np.bool_}[kind]
        return self.tape.plain(np.full(lengths, plain, dtype=to)) if lengths else to(plain)

    def _zeros(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        return self._filled(where, node, family, a, k, 0.0)

    def _ones(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        return self._filled(where, node, family, a, k, 1.0)

    def _full(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        k.pop("dtype", None)
        shape, fill = _taken(a, k, "shape", "fill_value")
        return self._filled(where, node, "numpy", [shape], {}, fill)

    def _like(self, of: Value, fill: float, keywords: Keywords) -> Value:
        kind = self.kind(of) if isinstance(of, Array) and not is_traced(of) else "f"
        if isinstance(of, tuple | list):
            of = self.numeric(of, _NO_PLACE)
            kind = self.kind(of)
        dtype = keywords.get("dtype")
        if dtype is not None:
            kind = spellings.TYPES.get(getattr(dtype, "name", dtype), "f")
        to: Any = {"f": np.float64, "i": np.int64, "b": np.bool_}[kind]
        shape = self.tape.shape(of)
        self.budget.elements(math.prod(shape))
        self.budget.keep(8 * math.prod(shape))
        return self.tape.plain(np.full(shape, fill, dtype=to)) if shape else to(fill)

    def _zeros_like(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del where, node, family
        return self._like(a[0], 0.0, k)

    def _ones_like(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del where, node, family
        return self._like(a[0], 1.0, k)

    def _full_like(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        of, fill = _taken(a, k, "a", "fill_value")
        return self._filled(where, node, family, [self.tape.shape(of)], {}, fill)

    # --- what is known of a value ---

    def _shape(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family, k
        return self.tape.shape(self.numeric(a[0], where))

    def _ndim(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family, k
        return len(self.tape.shape(self.numeric(a[0], where)))

    def _size(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family
        of, axis = _taken(a, k, "a", axis=None)
        shape = self.tape.shape(self.numeric(of, where))
        return math.prod(shape) if axis is None else shape[self.whole(axis)]

    def _by_value(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """A function whose result does not change with small changes of what it is given."""
        name = self.called
        plain = [self.by_value(v, f"{name}()") for v in a]
        named = {
            {"p": "ord", "n": "repeats"}.get(key, key): self.by_value(v, f"{name}()")
            for key, v in k.items()
        }
        self._expect_small(name, plain, named)
        del where, family
        with np.errstate(all="ignore"):
            return self._of_plain(getattr(np, name)(*plain, **named))

    def _where(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        if len(a) == 1:
            found = np.nonzero(self.by_value(a[0], "where()"))
            del node, family
            return tuple(self.tape.plain(f) for f in found)
        condition, yes, no = (self.numeric(v, where) for v in _taken(a, k, "condition", "x", "y"))
        if not any(map(is_traced, (condition, yes, no))):
            self.budget.broadcast([self.tape.value(v) for v in (condition, yes, no)])
            return self.tape.plain(np.where(*(self.tape.value(v) for v in (condition, yes, no))))
        return self.apply("where", [condition, yes, no], where)

    # --- sums, means, largest ---

    def _reduced(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """`sum`, `mean`, `prod`, `max`, `min` with an axis; torch's `max(x, dim)` gives two."""
        name = self.called
        if name in ("max", "min") and family == "torch" and len(a) == 2 and self._is_array(a[1]):
            return self.apply("maximum" if name == "max" else "minimum", a, where)
        k.pop("initial", None)
        of, axis, keep = _taken(a, k, "a", axis=None, keepdims=False)
        of, axis = self.numeric(of, where), self.axes(axis)
        row = {"max": "amax", "min": "amin"}.get(name, name)
        keep = self.truth(keep)
        if axis == ():
            return of
        if is_traced(of):
            kind = "i" if self.kind(of) in "ib" and name in ("sum", "prod") else "f"
            if self.kind(of) in "ib" and name in ("max", "min"):
                kind = self.kind(of)
            if not self.tape.shape(of):
                return of
            options = {"axis": axis, "keepdims": keep}
            found = self.apply(
                row, [of], where._replace(operands=where.operands[:1]), options, kind
            )
        else:
            plain = np.asarray(self.tape.value(of))
            self.budget.elements(plain.size)
            if not plain.size and name in ("max", "min"):
                raise unread(f"{name} of an empty array")
            with np.errstate(all="ignore"):
                found = self.tape.plain(getattr(np, name)(plain, axis=axis, keepdims=keep))
        if family == "torch" and name in ("max", "min") and axis is not None:
            best = np.argmax if name == "max" else np.argmin
            places = best(self.by_value(of, f"{name}()"), axis=axis)
            return found, self.tape.plain(places)
        return found

    def _is_array(self, value: Value) -> bool:
        return isinstance(value, Array) or (isinstance(value, Scalar) and value.kind == "f")

    def _spread(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """`var` and `std`: torch divides by n - 1 unless told otherwise."""
        name = self.called
        unbiased = k.pop("unbiased", None)
        if len(a) == 2 and isinstance(a[1], bool):
            unbiased = a.pop()
        default = 1 if family == "torch" else 0
        if unbiased is not None:
            default = int(self.truth(unbiased))
        if family == "torch":
            of, axis, ddof, keep = _taken(a, k, "a", axis=None, ddof=default, keepdims=False)
        else:
            ddof = k.pop("ddof", default)
            of, axis, keep = _taken(a, k, "a", axis=None, keepdims=False)
        of = self.numeric(of, where)
        options = {"axis": self.axes(axis), "ddof": self.whole(ddof), "keepdims": self.truth(keep)}
        if is_traced(of):
            return self.apply(name, [of], where._replace(operands=where.operands[:1]), options)
        plain = self.tape.value(of)
        self.budget.elements(np.size(plain))
        return self.tape.plain(getattr(np, name)(plain, **options))

    def _running(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """`cumsum`, `cumprod`: without an axis of the flattened array."""
        name = self.called
        of, axis = _taken(a, k, "a", axis=None)
        of = self.numeric(of, where)
        if len(self.tape.shape(of)) > 1 and axis is None:
            if family == "torch":
                raise unread(f"{name} needs dim")
            of = self.reshaped(of, (math.prod(self.tape.shape(of)),), where)
        return self.apply(name, [of], where._replace(operands=()), {"axis": self.axes(axis)})

    def _soft(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """`softmax` and its kin: SciPy takes all elements together, the others the last axis."""
        name = self.called
        of, axis = _taken(a, k, "x", axis=None if family in ("scipy", "numpy") else -1)
        of = self.numeric(of, where)
        shape = self.tape.shape(of)
        if axis is None and len(shape) > 1 and family in ("scipy", "numpy"):
            flat = self.reshaped(of, (math.prod(shape),), where)
            found = self.apply(name, [flat], where._replace(operands=()), {"axis": -1})
            return self.reshaped(found, shape, where)
        axis = -1 if axis is None else self.whole(axis)
        return self.apply(name, [of], where._replace(operands=()), {"axis": axis})

    def _logsumexp(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        if k.get("b") is not None or len(a) > 2:
            return self.from_prelude("logsumexp_weighted", a, k, node)
        k.pop("b", None)
        del family
        of, axis, keep = _taken(a, k, "a", axis=None, keepdims=False)
        options = {"axis": self.axes(axis), "keepdims": self.truth(keep)}
        return self.apply(
            "logsumexp", [self.numeric(of, where)], where._replace(operands=()), options
        )

    # --- shapes ---

    def _reshape(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family
        k.pop("newshape", None) if "shape" in k else None
        shape = k.pop("shape", k.pop("newshape", None))
        of, *more = a
        if shape is None:
            shape = more[0] if len(more) == 1 else tuple(more)
        of = self.numeric(of, where)
        lengths = self.shape_of(shape)
        plain = np.asarray(self.tape.value(of))
        try:
            lengths = np.empty(plain.shape, dtype=np.bool_).reshape(lengths).shape
        except ValueError:
            text = f"{plain.size} elements do not fit into the shape {lengths}"
            raise unread(text, kind="shape") from None
        return self.reshaped(of, lengths, where)

    def _ravel(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del family, k
        of = self.numeric(a[0], where)
        found = self.reshaped(of, (math.prod(self.tape.shape(of)),), where)
        return self.copied(found, where) if self.called == "flatten" else found

    def _moved(
        self, of: Value, look: Callable[[Any], Any], where: Where, *, copy: bool = False
    ) -> Value:
        """Elements that are only moved, by a function of NumPy."""
        of = self.numeric(of, where)
        if not isinstance(of, Array):
            if is_traced(of):
                of = self.apply("reshape", [of], where._replace(operands=()), {"shape": (1,)})
                first = look
                return self.tape.view(of, lambda a: first(a.reshape(())), "", {}, where)
            return self.tape.plain(look(np.asarray(of)))
        self.budget.elements(math.prod(self.tape.shape(of)))
        found = self.tape.view(of, look, "", {}, where)
        return self.copied(found, where) if copy else found

    def transposed(self, of: Value, axes: Value, where: Where) -> Value:
        """`x.T`, `np.transpose(x, axes)`."""
        of = self.numeric(of, where)
        rank = len(self.tape.shape(of))
        if rank < 2 or not isinstance(of, Array):
            return of
        order = None if axes is None else tuple(self.whole(v) for v in axes)
        if order is None or order == tuple(reversed(range(rank))):
            return self.tape.view(of, np.transpose, "T", {}, where)
        return self._moved(of, lambda a: np.transpose(a, order), where)

    def _transpose(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node
        of, *axes = a
        axes = list(axes) or [k.get("axes", k.get("axis"))]
        if family == "torch" and len(axes) == 2 and not isinstance(axes[0], tuple | list):
            first, second = (self.whole(v) for v in axes)
            return self._moved(of, lambda x: np.swapaxes(x, first, second), where)
        if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
            return self.transposed(of, axes[0], where)
        return self.transposed(of, tuple(axes), where)

    def _permute(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family
        of, *axes = a
        order = axes[0] if axes and isinstance(axes[0], tuple | list) else tuple(axes)
        return self.transposed(of, order or k.get("axis"), where)

    def _view(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """Functions that only show elements otherwise, or choose among them."""
        name = self.called
        del family
        of, *more = a
        options = [self.by_value(v, f"{name}()") for v in more]
        named = {key: self.by_value(v, f"{name}()") for key, v in k.items()}
        if "n" in named:
            named["repeats"] = named.pop("n")
        options = [
            v if isinstance(v, np.ndarray | str | None) else self._as_option(v) for v in options
        ]
        named = {key: self._as_option(v) for key, v in named.items()}
        function = getattr(np, name)
        if name in ("tile", "repeat", "broadcast_to"):
            self.budget.elements(self.count_of(name, of, [*options, *named.values()]))
        of = self.numeric(of, where)
        if name == "squeeze" and not options and not named:
            shape = tuple(n for n in self.tape.shape(of) if n != 1)
            return self.reshaped(of, shape, where)
        return self._moved(of, lambda x: function(x, *options, **named), where)

    def count_of(self, name: str, of: Value, options: list[Any]) -> int:
        """How many elements a repetition is going to have."""
        size = math.prod(self.tape.shape(of)) if self._is_array(of) else 1
        if name == "broadcast_to":
            return int(np.prod(np.asarray(options[0], dtype=float)))
        return int(size * np.prod(np.maximum(1, np.abs(np.asarray(options[0], dtype=float)))))

    def _as_option(self, value: Any) -> Any:
        if isinstance(value, tuple | list):
            return tuple(self._as_option(v) for v in value)
        if isinstance(value, float | np.floating) and float(value).is_integer():
            return int(value)
        return value

    def _expand_dims(
        self, where: Where, node: Any, family: str, a: Arguments, k: Keywords
    ) -> Value:
        del node, family
        of, axis = _taken(a, k, "a", "axis")
        of, axes = self.numeric(of, where), self.axes(axis)
        shape = np.expand_dims(np.empty(self.tape.shape(of), dtype=np.bool_), axes).shape
        return self.reshaped(of, shape, where)

    def _atleast(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del family, k
        of = self.numeric(a[0], where)
        function = getattr(np, self.called)
        return self.reshaped(
            of, function(np.empty(self.tape.shape(of), dtype=np.bool_)).shape, where
        )

    def _joined(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """`concatenate`, `stack`, `hstack`, `vstack`, `column_stack`."""
        name = self.called
        del family
        k.pop("dtype", None)
        first, axis = _taken(a, k, "arrays", axis=0)
        parts = [self.numeric(v, where) for v in self.sequence(first)]
        if name in ("hstack", "vstack", "column_stack"):
            at_least = np.atleast_1d if name == "hstack" else np.atleast_2d
            for i, part in enumerate(parts):
                shape = at_least(np.empty(self.tape.shape(part), dtype=np.bool_)).shape
                if name == "column_stack" and len(self.tape.shape(part)) < 2:
                    shape = shape[::-1]
                parts[i] = self.reshaped(part, shape, where)
            first_rank = len(self.tape.shape(parts[0])) if parts else 1
            axis = 0 if name == "vstack" or (name == "hstack" and first_rank == 1) else 1
            name = "concatenate"
        row = "stack" if name == "stack" else "concat"
        if not any(map(is_traced, parts)):
            arrays = [self.tape.value(p) for p in parts]
            self.budget.elements(sum(np.size(x) for x in arrays))
            function = np.stack if row == "stack" else np.concatenate
            return self.tape.plain(function(arrays, axis=self.axes(axis)))
        options = {"axis": self.axes(axis)}
        return self.apply(row, parts, where._replace(operands=()), options)

    def sequence(self, value: Value) -> list[Value]:
        """The items of a list, or the rows of an array."""
        if isinstance(value, tuple | list | range):
            return list(value)
        if isinstance(value, Array):
            return [self.element(value, i, _NO_PLACE) for i in range(self.tape.shape(value)[0])]
        raise unread(f"{described(value)} is no list of arrays")

    def _append(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        of, more, axis = _taken(a, k, "arr", "values", axis=None)
        if axis is None:
            parts = [self.numeric(v, where) for v in (of, more)]
            parts = [self.reshaped(p, (math.prod(self.tape.shape(p)),), where) for p in parts]
            of, more, axis = *parts, 0
        self.called = "concatenate"
        return self._joined(where, node, family, [[of, more], axis], {})

    def _split(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """`np.split` and its kin; `torch.split` takes the length of a part."""
        name = self.called
        of, parts, axis = _taken(a, k, "ary", "parts", axis=1 if name == "hsplit" else 0)
        axis, of = self.whole(axis), self.numeric(of, where)
        parts = self.by_value(parts, "split()")
        length = self.tape.shape(of)[axis]
        if family == "torch" and name == "split" and not isinstance(parts, tuple | list):
            parts = list(range(self.whole(parts), length, self.whole(parts)))
        elif family == "torch" and name == "split":
            parts = list(np.cumsum(parts)[:-1])
        whole = parts if isinstance(parts, tuple | list | np.ndarray) else self.whole(parts)
        split = np.split if name != "array_split" else np.array_split
        found = []
        for piece in split(np.arange(length), whole):
            start, stop = (int(piece[0]), int(piece[-1]) + 1) if len(piece) else (0, 0)
            items = (*[slice(None)] * (axis % len(self.tape.shape(of))), slice(start, stop))
            found.append(self.element(of, items, where))
        return found

    def _sorted(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """`np.sort`: the elements in an order that their values decide."""
        del node, family
        of, axis = _taken(a, k, "a", axis=-1)
        of = self.numeric(of, where)
        order = np.argsort(self.by_value(of, "sort()"), axis=self.axes(axis), kind="stable")
        along = self.axes(axis)
        return self._moved(of, lambda x: np.take_along_axis(x, order, axis=along), where, copy=True)

    # --- products ---

    def _dot(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del family
        first, second = (self.numeric(v, where) for v in _taken(a, k, "a", "b"))
        return self.dot(first, second, where, node)

    def dot(self, first: Value, second: Value, where: Where, node: Any) -> Value:
        """`np.dot`."""
        import ast  # noqa: PLC0415 - for the sign of the product alone

        if not self.tape.shape(first) or not self.tape.shape(second):
            return self.binary(ast.Mult, first, second, where, node)
        if not is_traced(first) and not is_traced(second):
            return self.binary(ast.MatMult, first, second, where, node)
        if len(self.tape.shape(second)) > 2:
            raise unread("np.dot of more than two dimensions is not read", "use np.einsum")
        return self.apply("matmul", [first, second], where)

    def _einsum(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family, k
        text, *arrays = a
        if not isinstance(text, str):
            raise unread("einsum is read with its letters: np.einsum('ij,jk->ik', A, B)")
        return contraction(self, text, [self.numeric(x, where) for x in arrays], where)

    def _tensordot(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family
        first, second, axes = _taken(a, k, "a", "b", axes=2)
        first, second = self.numeric(first, where), self.numeric(second, where)
        m, n = len(self.tape.shape(first)), len(self.tape.shape(second))
        axes = self.by_value(axes, "tensordot()")
        if isinstance(axes, int):
            pairs = list(zip(range(m - axes, m), range(axes), strict=True))
        else:
            left, right = ([v] if isinstance(v, int) else list(v) for v in axes)
            pairs = [(i % m, j % n) for i, j in zip(left, right, strict=True)]
        one = [chr(97 + i) for i in range(m)]
        two = [chr(97 + m + j) for j in range(n)]
        for i, j in pairs:
            two[j] = one[i]
        kept = [c for c in one + two if (c in one) != (c in two)]
        text = f"{''.join(one)},{''.join(two)}->{''.join(kept)}"
        return contraction(self, text, [first, second], where)

    def _norm(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family
        of, p, axis, keep = _taken(a, k, "x", p=None, axis=None, keepdims=False)
        of, axis = self.numeric(of, where), self.axes(axis)
        rank = len(self.tape.shape(of)) if axis is None else 1 if isinstance(axis, int) else 2
        if p == "fro" or (p == 2 and rank == 1):
            p = None
        if p is not None:
            p = float(self.by_value(p, "an option"))
            if rank > 1:
                raise unread("a norm of matrices other than Frobenius' is not read")
            p = int(p) if p.is_integer() else p
        options = {"p": p, "axis": axis, "keepdims": self.truth(keep)}
        return self.apply("norm", [of], where._replace(operands=where.operands[:1]), options)

    def _slogdet(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family, k
        plain = self.tape.value(a[0])
        sign = np.float64(np.linalg.slogdet(plain)[0])
        self.fix(a[0], "the sign of a determinant")
        return sign, self.apply("logdet", [a[0]], where)

    def _trace(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family, k
        return self.apply("trace", [self.numeric(a[0], where)], where._replace(operands=()))

    # --- elementwise, with another order of arguments ---

    def _clip(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family
        for old, new in (("min", "lo"), ("max", "hi")):
            if old in k:
                k[new] = k.pop(old)
        of, low, high = _taken(a, k, "a", lo=None, hi=None)
        of = self.numeric(of, where)
        if low is not None and high is not None:
            return self.apply(
                "clip", [of, self.numeric(low, where), self.numeric(high, where)], where
            )
        if low is not None:
            return self.apply(
                "maximum", [of, self.numeric(low, where)], where._replace(operands=())
            )
        if high is not None:
            return self.apply(
                "minimum", [of, self.numeric(high, where)], where._replace(operands=())
            )
        return of

    def _round(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family
        of, digits = _taken(a, k, "a", decimals=0)
        of, n = self.numeric(of, where), self.whole(digits)
        scale = 10.0**n
        if n == 0:
            return self.apply("round", [of], where._replace(operands=where.operands[:1]))
        where = where._replace(operands=())
        inner = self.apply("round", [self.apply("mul", [of, scale], where)], where)
        return self.apply("div", [inner, scale], where)

    def _heaviside(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family
        of, at = _taken(a, k, "x1", "x2")
        of = self.numeric(of, where)
        where = where._replace(operands=())
        zero = self.apply("equal", [of, 0.0], where, kind="b")
        above = self.apply("greater", [of, 0.0], where, kind="b")
        return self.apply("where", [zero, at, above], where)

    def _not(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family, k
        return self.apply(
            "equal", [self.numeric(a[0], where), 0.0], where._replace(operands=()), kind="b"
        )

    def _log(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """`math.log(x, base)`; NumPy's has no base."""
        if len(a) == 2 and family == "math":
            return self.apply("log_base", [self.numeric(v, where) for v in a], where)
        if len(a) != 1:
            raise unread("np.log takes one array")
        if has_traced(a):
            return self.row_call("log", a, k, where)
        return self._plain_call(family, "log", a, k, where) if family != "linalg" else a[0]

    def _leaky(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del node, family
        of, slope = _taken(a, k, "x", slope=0.01)
        return self.apply(
            "leaky_relu",
            [self.numeric(of, where), self.numeric(slope, where)],
            where._replace(operands=()),
        )

    def _gelu(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """torch's is exact, jax's the tanh form unless told otherwise."""
        form = k.pop("approximate", a[1] if len(a) > 1 else family == "jax")
        if form in ("tanh", True):
            return self.from_prelude("gelu_tanh", a[:1], {}, node)
        return self.apply(
            "gelu", [self.numeric(a[0], where)], where._replace(operands=where.operands[:1])
        )

    def _softplus(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        if len(a) > 1 or k:
            return self.from_prelude("softplus_of", a, k, node)
        del family
        return self.apply("softplus", [self.numeric(a[0], where)], where)

    def _polygamma(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """The order comes first, in SciPy and in torch."""
        del node, family
        n, of = _taken(a, k, "n", "x")
        order = {"n": self.whole(n, "an order")}
        return self.apply(
            "polygamma", [self.numeric(of, where)], where._replace(operands=()), order
        )

    def _finite(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del where, node, family, k
        return self.tape.plain(np.isfinite(np.asarray(self.by_value(a[0], "isfinite()"))))

    def _identity(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        del where, node, family, k
        return a[0]

    def _stopped(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """A value that no gradient goes through."""
        del where, node, family, k
        plain = self.by_value(a[0], "stop_gradient()")
        return self.tape.plain(np.array(plain)) if isinstance(a[0], Array) else plain

    def _random(self, where: Where, node: Any, family: str, a: Arguments, k: Keywords) -> Value:
        """Random numbers, if the text has seeded them as NumPy's own generator is."""
        del where, family
        name = self.called
        if name == "seed":
            self.random = np.random.RandomState(self.whole(a[0], "a seed") if a else 0)
            return None
        if name in ("default_rng", "RandomState"):
            if not a:
                raise unread("random numbers without a seed differ in every run", "give a seed")
            seed = self.whole(a[0], "a seed")
            self.random = getattr(np.random, name)(seed)
            return _Generator(self.random)
        if self.random is None:
            raise unread(
                "random numbers without a seed differ in every run",
                "np.random.seed(0) makes them the same, or give the name a value",
            )
        return self.drawn(self.random, name, a, k)

    def drawn(self, generator: Any, name: str, a: Arguments, k: Keywords) -> Value:
        """Numbers of a seeded generator."""
        known = (
            *("randn", "rand", "random", "normal", "uniform", "standard_normal", "randint"),
            *("integers", "permutation", "choice", "random_sample", "binomial", "exponential"),
        )
        if name not in known:
            raise unread(f"random.{name} is not read")
        plain = [self._plain_argument(v) for v in a]
        named = {key: self._plain_argument(v) for key, v in k.items()}
        numbers = [v for v in (*plain, named.get("size")) if v is not None]
        flat = np.concatenate([np.ravel(np.asarray(v, dtype=float)) for v in numbers] or [[1.0]])
        self.budget.elements(int(min(np.prod(np.maximum(1, np.abs(flat))), 1e15)))
        found = getattr(generator, name)(*plain, **named)
        self.budget.keep(8 * np.size(found))
        return self.tape.plain(found)


class _Generator:
    """A seeded generator of random numbers."""

    def __init__(self, generator: Any) -> None:
        self.generator = generator


Generator = _Generator

_NO_PLACE = Where.__new__(Where, *((0, 0), (0, 0), ()))


_C = ArrayCalls
FUNCTIONS: dict[str, Any] = {
    "array": _C._array,
    "zeros": _C._zeros,
    "ones": _C._ones,
    "full": _C._full,
    "zeros_like": _C._zeros_like,
    "ones_like": _C._ones_like,
    "full_like": _C._full_like,
    "shape": _C._shape,
    "ndim": _C._ndim,
    "size": _C._size,
    "where": _C._where,
    "reshape": _C._reshape,
    "ravel": _C._ravel,
    "flatten": _C._ravel,
    "transpose": _C._transpose,
    "permute": _C._permute,
    "expand_dims": _C._expand_dims,
    "dot": _C._dot,
    "einsum": _C._einsum,
    "tensordot": _C._tensordot,
    "norm": _C._norm,
    "slogdet": _C._slogdet,
    "trace": _C._trace,
    "clip": _C._clip,
    "round": _C._round,
    "heaviside": _C._heaviside,
    "logical_not": _C._not,
    "log": _C._log,
    "leaky_relu": _C._leaky,
    "gelu": _C._gelu,
    "softplus": _C._softplus,
    "polygamma": _C._polygamma,
    "logsumexp": _C._logsumexp,
    "isfinite": _C._finite,
    "stop_gradient": _C._stopped,
    "append": _C._append,
    "sort": _C._sorted,
    **dict.fromkeys(("sum", "mean", "prod", "max", "min"), _C._reduced),
    **dict.fromkeys(("var", "std"), _C._spread),
    **dict.fromkeys(("cumsum", "cumprod"), _C._running),
    **dict.fromkeys(("softmax", "log_softmax"), _C._soft),
    **dict.fromkeys(("concatenate", "stack", "hstack", "vstack", "column_stack"), _C._joined),
    **dict.fromkeys(("split", "array_split", "hsplit", "vsplit", "chunk"), _C._split),
    **dict.fromkeys(("atleast_1d", "atleast_2d", "atleast_3d"), _C._atleast),
    **dict.fromkeys(
        (
            *("swapaxes", "moveaxis", "broadcast_to", "rot90", "fliplr", "flipud", "flip"),
            *("squeeze", "diagonal", "roll", "tile", "repeat", "take"),
        ),
        _C._view,
    ),
    **dict.fromkeys(
        (
            *("argmax", "argmin", "argsort", "nonzero", "flatnonzero", "argwhere", "all", "any"),
            *("allclose", "isclose", "array_equal", "isnan", "isinf", "unique", "count_nonzero"),
            *("bincount", "digitize", "searchsorted", "isin", "in1d"),
        ),
        _C._by_value,
    ),
    **{
        f"random.{name}": _C._random
        for name in (
            *("seed", "default_rng", "RandomState", "randn", "rand", "random", "normal"),
            *("uniform", "standard_normal", "randint", "permutation", "choice", "binomial"),
            *("random_sample", "exponential"),
        )
    },
}
"""By the name, or by family and name where a library means something of its own."""
