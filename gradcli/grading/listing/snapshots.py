"""What the names around every step stood for, to compute other expressions in their place.

Statements come in as they are read. `evaluated` takes an expression and a step; its value goes out.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.listing.calls import Calls
from gradcli.grading.listing.code import Code
from gradcli.python.values import NOWHERE, Array, Instance, Scope, Unread, Value


class Snapshots(Calls):
    """Keeps what the names stood for, where that is asked for."""

    def __init__(self, code: Code, *, keeps_snapshots: bool) -> None:
        super().__init__(code)
        self.keeps_snapshots = keeps_snapshots
        self.snapshots: dict[int, dict[str, Value]] = {}
        """For every step what the names around it stood for before, where that is asked for."""
        self.around: dict[str, Value] = {}

    def look_around(self, node: ast.stmt) -> None:
        """Take note of what the names stand for before a statement."""
        simple = isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return)
        if self.keeps_snapshots and self.given is None and simple:
            self.around = {n: self._held_now(v) for n, v in self.scope.names.items()}

    def _held_now(self, value: Value) -> Value:
        """A value as it is now, whatever is stored into it later."""
        if isinstance(value, Array):
            node = self.tape.node(value)
            if node is not None:
                return Array(node=node, kind=value.root.kind)
            return Array(data=np.array(self.tape.value(value)), kind=value.root.kind)
        if isinstance(value, dict):
            return {k: self._held_now(v) for k, v in value.items()}
        if isinstance(value, list) and len(value) < 100:
            return [self._held_now(v) for v in value]
        if isinstance(value, Instance):
            return Instance(value.of, {k: self._held_now(v) for k, v in value.names.items()})
        return value

    def evaluated(self, node: ast.expr, step: int, given: Mapping[str, Any] | None = None) -> Any:
        """The number that an expression has in the place of a step; None where it has none.

        `given` are values that some names have instead.
        """
        outer = self.scope
        self.budget.renew()
        self.scope = Scope(outer.module)
        self.scope.names |= self.snapshots.get(step, {})
        for name, value in (given or {}).items():
            self.scope.names[name] = self.as_node(name, value)[1]
        try:
            with np.errstate(all="ignore"):
                found = self.numeric(self.value(node), NOWHERE)
                return self.tape.value(found) if self.is_number(found) else None
        except (Unread, GradcliError, ValueError, TypeError):
            return None
        finally:
            self.scope = outer
