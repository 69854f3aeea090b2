"""Methods of Python's own data: of lists, dictionaries, sets and texts."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any

from gradcli.python.calls import Arguments, Keywords
from gradcli.python.library_calls import LibraryCalls
from gradcli.python.values import NOWHERE, Value, unread

TEXT_METHODS = frozenset(
    [
        "format",
        "join",
        "split",
        "strip",
        "lstrip",
        "rstrip",
        "upper",
        "lower",
        "title",
        "capitalize",
        "startswith",
        "endswith",
        "replace",
        "zfill",
        "isdigit",
        "isalpha",
        "count",
        "find",
        "index",
        "rjust",
        "ljust",
        "center",
    ]
)


class Containers(LibraryCalls):
    """`items.append(x)` and its like."""

    @abstractmethod
    def python(self, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
        """Call one of Python's own functions."""

    def _set_method(self, of: set[Any], name: str, a: Arguments, node: Any) -> Value:
        self.budget.spend(1 + len(of) // 10)
        if name in ("add", "discard", "remove"):
            return getattr(of, name)(self.key(a[0]))
        known = ("union", "intersection", "difference", "update", "issubset", "issuperset", "copy")
        if name not in known:
            raise unread(f"the method '{name}' of a set is not read")
        more = [{self.key(v) for v in self.listed(m, self.where(node))} for m in a]
        return getattr(of, name)(*more)

    def _list_method(
        self, of: list[Value], name: str, a: Arguments, k: Keywords, node: Any
    ) -> Value:
        self.budget.spend()
        if name == "append":
            of.append(a[0])
        elif name == "extend":
            of.extend(self.listed(a[0], self.where(node)))
        elif name == "insert":
            self.budget.spend(len(of) // 50)
            of.insert(self.whole(a[0]), a[1])
        elif name == "pop":
            if not of:
                raise unread("pop from an empty list", raised="IndexError")
            return of.pop(self.whole(a[0]) if a else -1)
        elif name == "reverse":
            of.reverse()
        elif name == "copy":
            self.budget.spend(len(of))
            return list(of)
        elif name == "clear":
            of.clear()
        elif name == "sort":
            of[:] = self.python("sorted", [of], k, node)
        elif name == "remove":
            of.pop(self._list_method(of, "index", a, k, node))
        elif name in ("popleft", "appendleft"):  # of a deque
            return of.pop(0) if name == "popleft" else of.insert(0, a[0])
        elif name in ("index", "count"):
            return getattr(self.by_value(of, name), name)(self.by_value(a[0], name))
        else:
            raise unread(f"the method '{name}' of a list is not read")
        return None

    def _dict_method(self, of: dict[Any, Value], name: str, a: Arguments, k: Keywords) -> Value:
        self.budget.spend(1 + (0 if name in ("get", "pop", "setdefault") else len(of)))
        if name in ("items", "keys", "values"):
            return [*getattr(of, name)()]
        if name in ("get", "pop", "setdefault"):
            key = self.key(a[0])
            if name == "pop" and len(a) < 2 and key not in of:
                raise unread("the dictionary has no such key", raised="KeyError")
            return getattr(of, name)(key, *(a[1:] or ([] if name == "pop" else [None])))
        if name == "popitem":
            return of.popitem()
        if name == "clear":
            return of.clear()
        if name == "copy":
            return dict(of)
        if name == "update":
            more = self.python("dict", a, k, None)
            of.update(more)
            return None
        raise unread(f"the method '{name}' of a dictionary is not read")

    def _text_method(self, of: str, name: str, a: Arguments, k: Keywords) -> Value:
        if name not in TEXT_METHODS:
            raise unread(f"the method '{name}' of a text is not read")
        plain = [self.by_value(v, "a text") for v in a]
        named = {key: self.by_value(v, "a text") for key, v in k.items()}
        if name == "format":
            if re.search(r"\d{4,}|\{[^}]*\{|__", of):
                raise self.budget.exceeded("a width of more than three digits")
            if re.search(r"\{[^}]*[.\[]_", of):
                raise unread("this format is not read")
            longest = max([1, *(len(str(v)) for v in (*plain, *named.values()))])
            self.expect_room(len(of) + of.count("{") * (1000 + longest), text=True)
            return of.format(*plain, **named)
        if name in ("zfill", "rjust", "ljust", "center") and self.whole(plain[0]) > 1000:
            raise self.budget.exceeded("a width of more than three digits")
        if name == "replace":
            self.expect_room(len(of) * max(1, len(plain[1])), text=True)
        if name == "join":
            plain = [[*map(self.text_item, self.listed(a[0], NOWHERE))]]
            self.expect_room(sum(len(of) + len(v) for v in plain[0]), text=True)
        self.expect_room(len(of), text=True)
        return getattr(of, name)(*plain, **named)

    def text_item(self, value: Value) -> str:
        """One of the texts that `join` takes."""
        if not isinstance(value, str):
            raise unread("join takes texts", raised="TypeError")
        return value
