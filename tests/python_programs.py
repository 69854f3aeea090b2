"""Random functions of NumPy: loops, branches, stores, views, aliases, comprehensions, classes.

Each is a text `def f(s, v, A): …` that returns all its variables as one vector, smooth at almost
every point and with values of moderate size.
"""

from __future__ import annotations

import random

CLASS = """from dataclasses import dataclass, field

class Layer:
    scale = 0.5

    def __init__(self, W, b):
        self.W = W
        self.b = b
        self.seen = []

    def __call__(self, x):
        self.seen.append(x)
        return np.tanh(self.W @ x * self.scale + self.b)

    @property
    def size(self):
        return self.W.shape[0]

"""
CLASS += """@dataclass
class Pair:
    left: float
    right: float = 0.25
    seen: list = field(default_factory=list)

    def mixed(self, *others):
        self.seen += others
        return self.left * self.right + sum(self.seen)

class Deep(Layer):
    def __init__(self, W, b, rate=0.5):
        super().__init__(W, b)
        self.rate = rate

    def __call__(self, x):
        return super().__call__(x) * self.rate

class Stop(Exception):
    pass

"""
HELPER = """def helper(a, b=0.5, *more, **named):
    c = a * b
    for m in more:
        c = c + m
    return np.sin(c) + named.get("shift", 0.0)

def running(xs, start=0.0):
    total = start
    for i, x in enumerate(xs):
        total = total * 0.5 + x
        if i == 1:
            continue
        yield total
    yield from (x * 0.1 for x in xs)

def checked(x, most):
    if x > most:
        raise Stop("too large")
    return x * 2.0

"""


class Writer:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a program, no secret
        self.scalars, self.vectors, self.matrices = ["s"], ["v"], ["A"]
        self.lines: list[str] = []
        self.count = 0

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def name(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def scalar(self) -> str:
        r, v, A = self.random, self.random.choice(self.vectors), self.random.choice(self.matrices)
        a, b = r.choice(self.scalars), r.choice(self.scalars)
        i, j = r.randrange(3), r.randrange(3)
        return self.pick(
            f"{a} * {b} - {r.uniform(-2, 2):.3f}",
            f"np.sin({a}) + {b}**2 / 4",
            f"{v}[{i}] * {a}",
            f"{A}[{i}, {j}] + {a}",
            f"np.dot({v}, {r.choice(self.vectors)}) / 5",
            f"{A}[{i}].sum() * 0.3",
            f"np.mean({A}[:, {j}]) + max({a}, {b})",
            f"math.tanh({a}) + abs({b})",
            f"helper({a}, {b}, {v}[{i}], shift=0.1)",
            f"sum([{v}[k] * k for k in range(3) if k != {i}]) * 0.2",
            f"-{a} / (2.0 + {b}**2)",
            f"np.linalg.norm({v}) * 0.3",
            f"np.sqrt(1.0 + {a} * {a})",
            f"float(np.trace({A})) * 0.1",
            f"{v}.max() + {A}.min()",
            f"({a} if {a} > {r.uniform(-1, 1):.3f} else {b} * 2.0)",
            f"np.einsum('i,ij->', {v}, {A}) * 0.1",
            f"sum(running({v}, {a})) * 0.2",
            f"next(running({v}[{i}:]))",
            f"Pair({a}, right={b}).mixed({v}[0], {v}[{i}]) * 0.3",
            f"functools.reduce(lambda p, q: p * 0.5 + q, {v})",
            f"max((abs(x) for x in {v}), default=0.0)",
            f"(lambda p, q={b}: p * q + 0.1)({a})",
            f"[y := {a} * 0.5, y * y][-1]",
            f"sum(p * q for p, q in zip({v}, {A}[{i}])) * 0.2",
            f"list(itertools.accumulate({v}))[{i}] * 0.3",
            f"np.interp({a}, [-3.0, 0.1, 3.0], {v})",
            f"float(np.median({v})) + np.ptp({A}) * 0.1",
            f"{v}.item({i}) - {A}[{i}][{j}]",
        )

    def vector(self) -> str:
        r, A = self.random, self.random.choice(self.matrices)
        u, v, a = r.choice(self.vectors), r.choice(self.vectors), r.choice(self.scalars)
        i = r.randrange(3)
        return self.pick(
            f"{u} * {v} + {a}",
            f"np.tanh({A} @ {v})",
            f"{A}[{i}] - {u}",
            f"{A}.T[{i}] * {a}",
            f"np.where({u} > {v}, {u}, {a})",
            f"np.maximum({u}, {v})",
            f"np.array([{a}, {u}[1], 0.5])",
            f"{u}[::-1] + {v}[[2, 0, 1]]",
            f"np.concatenate([{u}[:{i}], {v}[{i}:]])",
            f"np.sum({A}, axis={i % 2}) / 4",
            f"np.cumsum({u}) * 0.3",
            f"np.exp(-({u} - {v})**2)",
            f"{A}.reshape(-1)[{i}:{i + 3}] * 0.5",
            f"({A} * {u}[:, None]).mean(axis=1)",
            f"np.stack([{a} * {u}, {v}])[{i % 2}]",
            f"np.array([w * {a} for w in {v}])",
            f"np.clip({u}, -0.8, 0.9)",
            f"np.roll({u}, {i}) * np.cos({v})",
            f"np.diag({A}) + {u}",
            f"Layer({A}, {u})({v})",
            f"Deep({A}, {u}, rate={a})({v})",
            f"np.fromiter((x * {a} for x in {u}), float)",
            f"np.pad({u}[:{i + 1}], (0, {2 - i})) + {v}",
            f"np.convolve({u}, {v}, mode='same') * 0.3",
            f"np.array(list(running({u}))[:3])",
            f"np.select([{u} > 0.3, {v} > 0.1], [{u}, {v} * 2.0], default={a})",
            f"{A}[np.ix_([{i}, 0], [0, 1])].sum(axis=0).repeat([2, 1]) * 0.5",
            f"np.take_along_axis({u}, np.argsort({v}), axis=0)",
            f"np.insert({u}[1:], {i}, {a})",
            f"np.array([*{u}[:2], {a}]) * {A}[..., {i}]",
            f"np.array([x if x > {a} else x * 0.5 for x in sorted({u})])",
            f"np.linalg.solve({A} + 5.0 * np.eye(3), {u})",
        )

    def matrix(self) -> str:
        r, A, B = self.random, self.random.choice(self.matrices), self.random.choice(self.matrices)
        u, v, a = r.choice(self.vectors), r.choice(self.vectors), r.choice(self.scalars)
        return self.pick(
            f"np.outer({u}, {v}) * 0.5",
            f"{A} @ {B} / 4",
            f"{A}.T + {a}",
            f"np.tanh({A} * {v})",
            f"{A} - {A}.mean(axis=0, keepdims=True)",
            f"{A} * ({B} > 0)",
            f"np.vstack([{u}, {v}, {A}[1]])",
            f"1.0 / (1.0 + np.exp(-{A}))",
            f"np.tile({u}, (3, 1)) * {a}",
            f"np.einsum('ij,kj->ik', {A}, {B}) * 0.2",
        )

    def statement(self, indent: str = "    ") -> None:
        r = self.random
        new, v, A = self.name(), r.choice(self.vectors), r.choice(self.matrices)
        i, j = r.randrange(3), r.randrange(3)
        kind = r.randrange(36)
        add = self.lines.append
        if kind < 4:
            add(f"{indent}{new} = {self.scalar()}")
            self.scalars.append(new)
        elif kind < 8:
            add(f"{indent}{new} = {self.vector()}")
            self.vectors.append(new)
        elif kind < 10:
            add(f"{indent}{new} = {self.matrix()}")
            self.matrices.append(new)
        elif kind == 10:
            add(f"{indent}{new} = {v}.copy()")
            add(f"{indent}{new}[{i}] {self.pick('=', '+=', '-=', '*=')} {self.scalar()}")
            self.vectors.append(new)
        elif kind == 11:
            add(f"{indent}{new} = {A}.copy()")
            add(f"{indent}{new}[{i}, :] {self.pick('=', '+=')} {self.vector()}")
            add(f"{indent}{new}[:, {j}] -= {self.vector()}")
            self.matrices.append(new)
        elif kind == 12:  # a view and an alias both see a store
            add(f"{indent}{new} = {A} + 0.0")
            add(f"{indent}row = {new}[{i}]")
            add(f"{indent}other = {new}.T")
            add(f"{indent}row[{j}] = {self.scalar()}")
            add(f"{indent}other[{i}] *= 0.5")
            add(f"{indent}flat = {new}.ravel()")
            add(f"{indent}flat[{i}:{i + 4}] += 0.25")
            self.matrices.append(new)
        elif kind == 13:
            add(f"{indent}{new} = {v} * 1.0")
            add(f"{indent}{new}[{new} <= {r.uniform(-0.5, 0.5):.3f}] = {self.scalar()}")
            self.vectors.append(new)
        elif kind == 14:
            add(f"{indent}{new} = np.zeros((3, 3))")
            add(f"{indent}{new}[np.arange(3), [{i}, {j}, {i}]] = {v}")
            add(f"{indent}np.add.at({new}, ([0, 0], [{j}, {j}]), {v}[:2])")
            self.matrices.append(new)
        elif kind == 15:
            add(f"{indent}{new} = np.zeros(3)")
            add(f"{indent}for k, w in enumerate({v}):")
            add(f"{indent}    if k == {i}:")
            add(f"{indent}        continue")
            add(f"{indent}    {new}[k] = w * {self.scalar()}")
            self.vectors.append(new)
        elif kind == 16:
            add(f"{indent}{new} = {self.scalar()}")
            add(f"{indent}n = 0")
            add(f"{indent}while n < {1 + i}:")
            add(f"{indent}    {new} = np.sin({new}) + {self.scalar()} * 0.1")
            add(f"{indent}    n += 1")
            self.scalars.append(new)
        elif kind == 17:
            add(f"{indent}d = {{'W' + str(k): {A}[k] for k in range(3)}}")
            add(f"{indent}d['W0'] = d['W0'] * {self.scalar()}")
            add(f"{indent}{new} = d['W{i}'] + d[f'W{{{j}}}']")
            self.vectors.append(new)
        elif kind == 18:
            add(f"{indent}if {self.scalar()} > {r.uniform(-1, 1):.3f}:")
            add(f"{indent}    {new} = {self.vector()}")
            add(f"{indent}else:")
            add(f"{indent}    {new} = {self.vector()}")
            self.vectors.append(new)
        elif kind == 19:
            add(f"{indent}layer = Layer({A}, {v})")
            add(f"{indent}layer(layer({self.vector()}))")
            add(f"{indent}{new} = layer.seen[-1] * layer.size")
            self.vectors.append(new)
        elif kind == 20:
            other = self.name()
            add(f"{indent}{new}, ({other}, *rest) = {self.scalar()}, ({self.vector()}, 1, 2)")
            self.scalars.append(new)
            self.vectors.append(other)
        elif kind == 21:  # a loop reads what its earlier turns have stored
            add(f"{indent}{new} = {v} * 1.0")
            add(f"{indent}for k, w in enumerate({new}):")
            add(f"{indent}    if k < 2:")
            add(f"{indent}        {new}[k + 1] += w * {self.scalar()}")
            self.vectors.append(new)
        elif kind == 22:
            add(f"{indent}{new} = {A} * 1.0")
            add(f"{indent}for row, w in zip({new}[::-1], {v}):")
            add(f"{indent}    row[{i}:] {self.pick('*=', '-=', '+=')} w")
            self.matrices.append(new)
        elif kind == 23:
            add(f"{indent}try:")
            add(f"{indent}    {new} = checked({self.scalar()}, {r.uniform(-1, 1):.3f})")
            add(f"{indent}except (Stop, KeyError):")
            add(f"{indent}    {new} = {self.scalar()}")
            add(f"{indent}finally:")
            add(f"{indent}    n = {i}")
            self.scalars.append(new)
        elif kind == 24:
            add(f"{indent}match [{i}, {self.pick('s', v)}]:")
            add(f"{indent}    case [0 | 1 as n, w]:")
            add(f"{indent}        {new} = w * (n + 1.0)")
            add(f"{indent}    case [_, *rest]:")
            add(f"{indent}        {new} = rest[0] - {self.scalar()}")
            add(f"{indent}{new} = np.sum({new}) * 0.4")
            self.scalars.append(new)
        elif kind == 25:
            add(f"{indent}def local(p, *, q={self.scalar()}):")
            add(f"{indent}    nonlocal s")
            add(f"{indent}    s = s * 0.9")
            add(f"{indent}    return p * q + s")
            add(f"{indent}{new} = local({self.scalar()}) + local(0.5, q={self.scalar()})")
            self.scalars.append(new)
        elif kind == 26:
            add(f"{indent}{new} = {v} + 0.0")
            add(f"{indent}{new}[{i}], {new}[{j}] = {new}[{j}], {self.scalar()}")
            add(f"{indent}{new}[[0, 0, {i}]] += {v}")
            self.vectors.append(new)
        elif kind == 27:
            add(f"{indent}items = [{self.scalar()}, {self.scalar()}]")
            add(f"{indent}items[1:1] = [x * 0.5 for x in {v} if x > {r.uniform(-1, 1):.3f}]")
            add(f"{indent}items += ({self.scalar()},)")
            add(f"{indent}{new} = sum(items[::2]) + items.pop() * len(items) * 0.1")
            self.scalars.append(new)
        elif kind == 28:
            add(f"{indent}{new} = {A}.copy()")
            add(f"{indent}{new}[{new} > {r.uniform(-0.5, 0.5):.3f}] *= {self.scalar()}")
            add(f"{indent}{new}[..., {i}] -= {self.vector()}")
            add(f"{indent}np.fill_diagonal({new}, {self.scalar()})")
            self.matrices.append(new)
        elif kind == 29:
            add(f"{indent}{new} = {A} @ {A}.T / 3.0")
            add(f"{indent}{new} @= {A} * 0.5")
            add(f"{indent}np.multiply({new}, {self.scalar()}, out={new})")
            self.matrices.append(new)
        elif kind == 30:
            add(f"{indent}{new} = {self.scalar()}")
            add(f"{indent}for k in itertools.count(1):")
            add(f"{indent}    if k > {i + 1} or {new} > 5.0: break")
            add(f"{indent}    {new} += np.cos({new}) / k")
            add(f"{indent}else:")
            add(f"{indent}    {new} = 0.0")
            self.scalars.append(new)
        elif kind == 31:
            add(f"{indent}table = collections.defaultdict(list)")
            add(f"{indent}for k, w in enumerate({v}):")
            add(f"{indent}    table[k % 2].append(w * {self.scalar()})")
            add(f"{indent}{new} = np.array([sum(table[0]), *table[1], s])")
            self.vectors.append(new)
        elif kind == 32:
            add(f"{indent}{new} = np.asarray({v}) if {i} else np.array({v})")
            add(f"{indent}alias = {new}[...]")
            add(f"{indent}{new} = {new} * 1.0")
            add(f"{indent}alias = np.asarray({new})[::-1]")
            add(f"{indent}alias[:2] = ({self.vector()})[1:]")
            self.vectors.append(new)
        elif kind == 33:
            add(f"{indent}cube = np.stack([{A}, {self.matrix()}])")
            add(f"{indent}cube[{i % 2}, :, {j}] = {self.vector()}")
            add(f"{indent}{new} = np.einsum('kij,j->ki', cube, {v})[{j % 2}] * 0.3")
            self.vectors.append(new)
        elif kind == 34:
            add(f"{indent}pairs = sorted([(2, {self.scalar()}), (1, {self.scalar()})])")
            add(f"{indent}(n, {new}), *_ = pairs")
            add(f"{indent}{new} = {new} if n == 1 else 0.0")
            self.scalars.append(new)
        else:
            other = self.name()
            add(f"{indent}{new} = {v} * 2.0")
            add(f"{indent}{other} = {new}")
            add(f"{indent}{new} += {self.vector()}")
            add(f"{indent}{new} = {new} / 3.0")
            self.vectors += [new, other]

    def text(self, statements: int = 8) -> str:
        for _ in range(statements):
            self.statement()
        names = [*self.scalars[1:], *self.vectors[1:], *self.matrices[1:]]
        parts = ", ".join(f"np.ravel({name})" for name in names) or "np.ravel(s)"
        body = "\n".join(self.lines)
        return f"{CLASS}{HELPER}def f(s, v, A):\n{body}\n    return np.concatenate([{parts}])\n"
