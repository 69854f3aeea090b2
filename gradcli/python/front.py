"""From a text of Python and values of its inputs to a graph.

The text is read at the given point: loops and branches are gone through as they go there. What
comes out is the graph of all that the output is made of.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source, Span
from gradcli.graph.draft import Literal
from gradcli.python.assignments import GOES_ON
from gradcli.python.core import Text
from gradcli.python.dialect import libraries_of
from gradcli.python.entry import Entry, entry_of
from gradcli.python.flat import rebuilt
from gradcli.python.interpreter import Interpreter
from gradcli.python.limits import MOST_SECONDS, Budget
from gradcli.python.source import module_of
from gradcli.python.tape import as_error, described
from gradcli.python.traced import Traced, traced
from gradcli.python.values import (
    Array,
    Class,
    Function,
    Scalar,
    Unknown,
    Unread,
    Value,
)


class _Reader(Interpreter):
    """The interpreter with the inputs of a program."""

    as_program = True
    literals: frozenset[str] = frozenset()
    last: Value = None
    """The value of the last statement of the module, if it is an expression."""

    def _assign(self, node: ast.Assign) -> int:
        targets = node.targets
        if len(targets) == 1 and isinstance(targets[0], ast.Name) and self.scope.outer is None:
            name = targets[0].id
            if name in self.literals and self.supply is not None:
                self.set_name(name, self.supply(name, targets[0]))
                return GOES_ON
        return super()._assign(node)

    def stands_alone(self, value: Value, node: ast.Expr) -> None:
        if self.scope.outer is None:
            self.last = value


@dataclass
class Front:
    """A text of Python as a program; parsed once, read anew for every point."""

    source: Source
    output: str | None = None
    function: str | None = None
    seconds: float = MOST_SECONDS
    tree: ast.Module = field(init=False)
    entry: Entry = field(init=False)

    def __post_init__(self) -> None:
        self.tree = module_of(self.source)
        self.entry = entry_of(self.tree, self.source, self.function)

    @cached_property
    def _libraries(self) -> frozenset[str]:
        return libraries_of(ast.walk(self.tree))

    # --- inputs ---

    @cached_property
    def places(self) -> dict[str, Span]:
        """The inputs as the text has them (parameters, names), each with its place."""
        text = Text(self.source)
        return {name: text.span(node) for name, node in self.entry.free.items()}

    def defaults(self) -> dict[str, Any]:
        """The values that the text itself gives to its inputs: numbers and arrays, or in tuples.

        A parameter whose default is something else (a word, None, a shape) is no input unless it
        is given a value.
        """
        with np.errstate(all="ignore"):
            return self._defaults()

    def _defaults(self) -> dict[str, Any]:
        reader = _Reader(self.source, Budget(self.seconds))
        if self.entry.node is None:
            literals = _literals(self.tree, self.entry.literals)
            return {n: _plain(reader, reader.soft(v)) for n, v in literals}
        self._through_module(reader)
        function = self._function(reader)
        given = function.optional().items()
        return {n: _plain(reader, v) for n, v in given if _is_input(reader, v)}

    # --- reading ---

    def _through_module(self, reader: Interpreter) -> None:
        reader.libraries = self._libraries
        reader.scope.names["__name__"] = "__main__" if self.entry.node is None else "module"
        reader.run(self.tree.body)

    def _function(self, reader: Interpreter) -> Any:
        name = self.entry.function or ""
        if name == "lambda" and isinstance(self.entry.node, ast.Lambda):
            return reader.function_of(name, self.entry.node)
        owner, _, method = name.rpartition(".")
        found = reader.scope.names.get(owner or name)
        if isinstance(found, Class):
            found = found.find(method)
        if isinstance(found, Unknown):
            raise as_error(found, self.source)
        if not isinstance(found, Function):
            raise GradcliError(
                Kind.SYNTAX,
                f"'{name}' is no function once the text is read: it is {described(found)}",
                source=self.source,
                span=reader.text.span(self.entry.node),
            )
        return found

    def read(self, values: Mapping[str, Any], forms: Mapping[str, Any]) -> Traced:
        """The graph at a point. `values` are the inputs' by name, `forms` the parameters'.

        Raises `GradcliError` with its place in the text.
        """
        reader = _Reader(self.source, Budget(self.seconds))
        try:
            return self._read(reader, values, forms)
        except Unread as stop:
            raise as_error(stop.unknown, self.source) from None
        except RecursionError:
            raise reader.budget.exceeded("calls inside of one another, too deep") from None
        except MemoryError:
            raise reader.budget.exceeded("more memory than there is") from None
        except GradcliError as error:
            if reader.budget.gradual is error or error.span is None:
                node = self.entry.node or self.tree.body[-1]
                reader.locate(error, node)
            raise

    def _read(self, reader: _Reader, values: Mapping[str, Any], forms: Mapping[str, Any]) -> Traced:
        inputs: dict[str, Value] = {}
        places = self.places

        def leaf(name: str, _form: Any) -> Value:
            if name not in inputs:
                root = name.partition("[")[0]
                node = reader.tape.input(name, values[name], places[root])
                inputs[name] = reader.tape.wrap(node)
            found = inputs[name]
            return Array(node=found.node, label=name) if isinstance(found, Array) else found

        def supply(name: str, node: Any) -> Value:
            if name not in places:
                raise reader.no_value(name)
            if name not in forms:
                raise Unread(Unknown(f"'{name}' has no value", reader.span(node),
                                     f"give a value: --{name} 1", "binding"))  # fmt: skip
            return rebuilt(name, forms[name], leaf)

        with np.errstate(all="ignore"):
            if self.entry.node is None:
                reader.supply = supply
                reader.literals = frozenset(self.entry.literals & forms.keys())
                self._through_module(reader)
                found = self._result_of_module(reader)
            else:
                self._through_module(reader)
                reader.outside = 1
                function = self._function(reader)
                keywords = {n: rebuilt(n, forms[n], leaf) for n in self.entry.free if n in forms}
                missing = [n for n in places if n not in forms and n not in self.entry.optional()]
                if missing:
                    raise self.without_value(missing)
                reader.reading.steps.clear()
                reader.reading.notes.clear()
                found = reader.call_function(*self._call(reader, function, keywords))
                if self.output is not None:
                    found = self._variable(reader, self.output)
            name = None if self.entry.function == "lambda" else self.entry.function
            notes = tuple(reader.reading.notes)
            return traced(reader.tape, self._node(reader, found), name, notes)

    def _call(self, reader: _Reader, function: Any, keywords: dict[str, Value]) -> Any:
        """A function with its arguments: by name, or in order where there is `*args`."""
        of = function.node.args
        names = [p.arg for p in of.posonlyargs]
        more: list[Value] = []
        if of.vararg is not None:
            names += [p.arg for p in of.args]
            given = keywords.pop(of.vararg.arg)
            at = reader.where(of.vararg)
            whole = isinstance(given, Scalar)
            more = [given] if whole else reader.listed(given, at)
        first = [keywords.pop(n) for n in names if n in keywords]
        if self.entry.function and "." in self.entry.function:  # the class, or an object of it
            of = function.owner
            by_class = function.kind == "classmethod"
            first.insert(0, of if by_class else reader.call(of, [], {}, function.node))
        return function, [*first, *more], keywords, function.node

    def without_value(self, names: list[str]) -> GradcliError:
        """The error of inputs that have no value."""
        listed = ", ".join(f"'{name}'" for name in names)
        return GradcliError(
            Kind.BINDING,
            f"{listed} {'has' if len(names) == 1 else 'have'} no value",
            source=self.source,
            span=self.places[names[0]],
            hint="give a value: " + " ".join(f"--{name} 1" for name in names),
        )

    # --- the output ---

    def _variable(self, reader: _Reader, name: str) -> Value:
        """The variable that is asked for, as it is after the last step that gave it a value."""
        node = reader.tape.names.get(name)
        if node is not None:
            return reader.tape.wrap(node)
        for step in reversed(reader.reading.steps):
            if step.name == name:
                return step.value
        known = list(dict.fromkeys(s.name for s in reader.reading.steps))
        raise GradcliError(
            Kind.NAME,
            f"the program has no variable '{name}'",
            hint=f"it has {', '.join(known[:12])}" if known else None,
        )

    def _result_of_module(self, reader: _Reader) -> Value:
        if self.output is not None:
            found = reader.scope.names.get(self.output)
            return self._variable(reader, self.output) if found is None else found
        last = self.tree.body[-1]
        if isinstance(last, ast.Expr) and reader.is_number(reader.last):
            return reader.last
        steps = [s for s in reader.reading.steps if not s.calls]
        made = [s for s in steps if s.whole is not None]
        lost = reader.reading.unknown
        if lost and not made:
            raise as_error(lost[-1][1], self.source)
        if not made and not steps:
            raise GradcliError(
                Kind.SYNTAX,
                "the text computes nothing: it has no function and no assignment",
                source=self.source,
                span=Span(0, min(1, len(self.source.text))),
            )
        last_step = (made or steps)[-1]
        return reader.tape.wrap(last_step.node) if last_step.node is not None else last_step.value

    def _node(self, reader: _Reader, value: Value) -> int:
        """The node of the output. Raises `Unread` for what is no number or array."""
        if isinstance(value, Unknown):
            raise Unread(value)
        if isinstance(value, tuple | list):
            try:
                value = reader.array(value, reader.where(self.tree.body[-1]))
            except Unread as stop:
                hint = "--output NAME takes one of its variables"
                if stop.unknown.span is not None:
                    raise
                raise GradcliError(
                    Kind.SHAPE, f"the function returns {len(value)} values of several shapes",
                    source=self.source, span=self._place(reader), hint=hint,
                ) from None  # fmt: skip
        if not reader.is_number(value):
            raise GradcliError(
                Kind.SYNTAX,
                f"the function returns {described(value)}, and no number or array",
                source=self.source,
                span=self._place(reader),
                hint="--output NAME takes one of its variables",
            )
        operand = reader.tape.operand(value)
        if isinstance(operand, Literal):
            operand = reader.tape.as_node(Array(data=np.asarray(operand.value)))
        return operand

    def _place(self, reader: _Reader) -> Span:
        """The last return of the function."""
        node = self.entry.node or self.tree.body[-1]
        returns = [n for n in ast.walk(node) if isinstance(n, ast.Return)]
        return reader.text.span(returns[-1] if returns else node)


def _literals(tree: ast.Module, names: frozenset[str]) -> Iterator[tuple[str, ast.expr]]:
    """The values that a module itself gives to some names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id in names:
                    yield target.id, node.value


def _is_input(reader: Interpreter, value: Value) -> bool:
    """Whether a default is a number, an array, or a structure of such."""
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, dict):
        return bool(value) and all(_is_input(reader, v) for v in value.values())
    if isinstance(value, tuple | list):
        whole = all(isinstance(v, int) for v in value)
        return bool(value) and not whole and all(_is_input(reader, v) for v in value)
    return reader.is_number(value)


def _plain(reader: Interpreter, value: Value) -> Any:
    """A default as plain data."""
    if isinstance(value, dict):
        return {k: _plain(reader, v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_plain(reader, v) for v in value)
    return reader.tape.value(value)
