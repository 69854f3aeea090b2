"""`match`: which case a value fits, and the names that its pattern gives values."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import Any

from gradcli.python.assignments import GOES_ON, Assignments
from gradcli.python.builtins import is_a
from gradcli.python.values import Array, Builtin, Class, Instance, Scalar, Value, unread


class Matching(Assignments):
    """The cases of a `match`, one after the other."""

    @abstractmethod
    def run(self, body: list[ast.stmt]) -> int:
        """Go through statements; how the last one ended."""

    def _match(self, node: ast.Match) -> int:
        subject = self.value(node.subject)
        for case in node.cases:
            self.budget.spend()
            if self.fits(case.pattern, subject) and (case.guard is None or self.branch(case.guard)):
                return self.run(case.body)
        return GOES_ON

    def fits(self, pattern: ast.pattern, value: Value) -> bool:
        """Whether a value fits a pattern, whose names get their values."""
        match pattern:
            case ast.MatchValue(value=wanted):
                return self._equal(value, self.value(wanted), pattern)
            case ast.MatchSingleton(value=wanted):
                return value is wanted
            case ast.MatchOr(patterns=patterns):
                return any(self.fits(p, value) for p in patterns)
            case ast.MatchAs(pattern=inner, name=name):
                if inner is not None and not self.fits(inner, value):
                    return False
                if name is not None:
                    self.set_name(name, value)
                return True
            case ast.MatchSequence(patterns=patterns):
                return self._fits_sequence(patterns, value)
            case ast.MatchMapping():
                return self._fits_mapping(pattern, value)
            case ast.MatchClass():
                return self._fits_class(pattern, value)
        raise unread(f"this pattern ({type(pattern).__name__}) is not read")

    def _equal(self, value: Value, wanted: Value, node: Any) -> bool:
        found = self.compared(ast.Eq(), value, wanted, self.where(node), node)
        return self.truth(found, "a branch")

    def _fits_sequence(self, patterns: list[ast.pattern], value: Value) -> bool:
        if isinstance(value, Instance) and value.of.is_tuple:
            value = tuple(value.names[name] for name in value.of.fields)
        if not isinstance(value, list | tuple):
            return False
        stars = [(i, p) for i, p in enumerate(patterns) if isinstance(p, ast.MatchStar)]
        if not stars:
            return len(patterns) == len(value) and all(map(self.fits, patterns, value))
        star, starred = stars[0]
        after = len(patterns) - star - 1
        if len(value) < len(patterns) - 1:
            return False
        if starred.name is not None:
            self.set_name(starred.name, list(value[star : len(value) - after]))
        return all(map(self.fits, patterns[:star], value)) and all(
            map(self.fits, patterns[star + 1 :], value[len(value) - after :])
        )

    def _fits_mapping(self, pattern: ast.MatchMapping, value: Value) -> bool:
        if not isinstance(value, dict):
            return False
        keys = [self.key(self.value(k)) for k in pattern.keys]
        if not all(k in value for k in keys):
            return False
        if pattern.rest is not None:
            self.set_name(pattern.rest, {k: v for k, v in value.items() if k not in keys})
        return all(self.fits(p, value[k]) for p, k in zip(pattern.patterns, keys, strict=True))

    def _fits_class(self, pattern: ast.MatchClass, value: Value) -> bool:
        kind = self.value(pattern.cls)
        if not is_a(self, value, kind):
            return False
        inside = list(pattern.patterns)
        names = list(pattern.kwd_attrs)
        parts = [*pattern.kwd_patterns]
        if inside and isinstance(kind, Builtin):
            return len(inside) == 1 and self.fits(inside[0], value)
        if isinstance(kind, Class):
            names = [*kind.fields[: len(inside)], *names]
            parts = [*inside, *parts]
        if isinstance(value, Scalar | Array) or len(names) != len(parts):
            raise unread("this pattern of a class is not read")
        return all(
            self.fits(p, self.attribute(value, name, pattern))
            for name, p in zip(names, parts, strict=True)
        )
