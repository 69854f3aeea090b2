"""From the grammar to the tables that `driver` runs on. Needs Lark, as the package's build does.

Lark reads the grammar, sorts the terminals and works out the LALR(1) states. Two things are done
to what it saves. The terminals' patterns become one, with what is passed over in front of each
token. And rules that only hand on their one part (a sum that is a single product that is a single
factor …) are taken out: a state is made for each pair of states between which such a chain leads,
so that reading `x` takes one step and not seven.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from lark import Lark
from lark.grammar import Rule
from lark.lexer import PatternStr, TerminalDef

from gradcli.syntax.driver import Tables

START = "start"
Row: TypeAlias = dict[str, int]


def lark_parser(grammar: str, **options: Any) -> Lark:
    """Lark's own parser of the grammar."""
    return Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=False, **options)


def tables_of(grammar: str) -> Tables:
    """The tables of a grammar."""
    lark = lark_parser(grammar)
    terminals = sorted(lark.terminals, key=_lexer_order)
    words = _words(terminals)
    fixed = {name for found in words.values() for name in found.values()}
    patterns = {t.name: t.pattern.to_regexp() for t in terminals if t.name not in fixed}
    passed_over = "|".join(patterns.pop(name) for name in lark.ignore_tokens)
    groups = "|".join(f"({pattern})" for pattern in patterns.values())
    pattern = rf"(?:{passed_over})*+(?:{groups}|([\s\S])|\Z)"
    if re.compile(pattern).groups != len(patterns) + 1:
        raise ValueError("a terminal of the grammar has a group of its own: write (?:…)")
    states = _states(lark)
    return Tables(pattern, list(patterns), words, _without_chains(states), states.rules)


# --- the lexer -----------------------------------------------------------------------------


def _lexer_order(terminal: TerminalDef) -> tuple[int, int, int, str]:
    """The order in which Lark's lexer tries the terminals."""
    pattern = terminal.pattern
    return -terminal.priority, -pattern.max_width, -len(pattern.value), terminal.name


def _words(terminals: Iterable[TerminalDef]) -> dict[str, dict[str, str]]:
    """By pattern, the fixed texts of its priority that it matches: they are told from it after."""
    strings = [t for t in terminals if isinstance(t.pattern, PatternStr)]
    found: dict[str, dict[str, str]] = {}
    for terminal in terminals:
        if terminal in strings:
            continue
        expression = re.compile(terminal.pattern.to_regexp())
        for string in strings:
            text = string.pattern.value.replace("\\", "")
            if string.priority == terminal.priority and expression.fullmatch(text):
                found.setdefault(terminal.name, {})[text] = string.name
    return found


# --- the states ----------------------------------------------------------------------------


class _States(NamedTuple):
    """The states as Lark has them, numbered from the first; ~n is to reduce by rule n."""

    rows: list[Row]
    rules: list[tuple[int, str, str]]
    chains: dict[int, str]
    """What the other rules make, those that only hand on a part, by ~n."""

    @property
    def symbols(self) -> set[str]:
        """What any rule makes: in a row all other names are terminals."""
        return {symbol for _, symbol, _ in self.rules} | set(self.chains.values())


def _states(lark: Lark) -> _States:
    data, memo = lark.memo_serialize([TerminalDef, Rule])
    saved = data["parser"]["parser"]
    (first,) = saved["start_states"].values()
    order = sorted(saved["states"], key=lambda state: (state != first, state))
    numbers = {state: i for i, state in enumerate(order)}
    rules = {key: rule for key, rule in memo.items() if rule["__type__"] == "Rule"}
    # Those that the driver needs come first, so that they keep their numbers without the others.
    reductions = {key: i for i, key in enumerate(sorted(rules, key=lambda k: _is_chain(rules[k])))}
    # Lark 1.2 has its own kind of text for a name, which `marshal` does not take.
    made = [(len(r["expansion"]), str(r["origin"]["name"]), _method(r)) for r in rules.values()]
    kept = [rule for rule, r in zip(made, rules.values(), strict=True) if not _is_chain(r)]
    chains = {~reductions[k]: str(r["origin"]["name"]) for k, r in rules.items() if _is_chain(r)}
    rows = [
        {
            saved["tokens"][symbol]: ~reductions[to["@"]] if reduce else numbers[to]
            for symbol, (reduce, to) in saved["states"][state].items()
        }
        for state in order
    ]
    return _States(rows, kept, chains)


def _is_chain(rule: Mapping[str, Any]) -> bool:
    """Whether a rule only hands on its one part: its name has a `?`, and it has no alias."""
    return rule["options"]["expand1"] and len(rule["expansion"]) == 1 and not rule["alias"]


def _method(rule: Mapping[str, Any]) -> str:
    """The builder's method for a rule: its alias, else its name; none for the start."""
    name = rule["origin"]["name"]
    return "" if name == START else str(rule["alias"] or name)


def _without_chains(states: _States) -> list[Row]:
    """The rows of states in which no rule only hands on its one part.

    A new state stands for an old one above another: at a terminal it does what is done at the end
    of the chain that the terminal starts. Raises `ValueError` where a rule would lead from there
    to more than one state.
    """
    useful = {symbol for _, symbol, _ in states.rules}
    numbers: dict[frozenset[tuple[str, int]], int] = {}
    found: list[Row] = []

    def number(row: Row) -> int:
        key = frozenset(row.items())
        if key not in numbers:
            numbers[key] = len(found)
            found.append(row)
        return numbers[key]

    number(_merged(states, {}, 0))
    return [
        {
            symbol: to if to < 0 else number(_merged(states, row, to))
            for symbol, to in sorted(row.items())
            if symbol in useful or symbol not in states.symbols
        }
        for row in found  # it grows
    ]


def _merged(states: _States, below: Row, state: int) -> Row:
    """An old state above a row that leads to old states, and with it all that chains lead to."""
    rows, chains, symbols = states.rows, states.chains, states.symbols
    merged: Row = {}
    reached = [state]
    for place in reached:  # it grows
        for symbol, to in rows[place].items():
            if symbol in symbols:
                if merged.setdefault(symbol, to) != to:
                    raise ValueError(f"after a chain of rules, {symbol} leads to two states")
            elif to in chains and below[chains[to]] not in reached:
                reached.append(below[chains[to]])
    for terminal, first in rows[state].items():
        action: int | None = first
        while action in chains:
            action = rows[below[chains[action]]].get(terminal)
        if terminal not in symbols and action is not None:
            merged[terminal] = action
    return merged
