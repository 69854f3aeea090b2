"""The trace of one node, and the answer sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from report_samples import NAMES, chain, evaluate, samples
from test_trace import POINT, gradcli, strict
from test_trace_statements import SIGMOID, steps_of

from gradcli.diagnostics.error import GradcliError, cell_width
from gradcli.report import Style
from gradcli.report.trace import node as trace_node
from gradcli.report.trace.listing import Choice
from gradcli.trace.paths import MOST_PATHS, focus
from gradcli.trace.steps import Steps

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


def of_node(sample: str, name: str, width: int | None = None, *, blank: bool = False) -> str:
    result, look = samples()[sample], Style(width=width, color=False, ascii=False)
    steps = Steps(result)
    choice = Choice(blank=blank)
    return "".join(trace_node.pieces(steps, focus(steps, name), look, choice, lambda: result))


class TestNode:
    @pytest.mark.parametrize("width", [None, 80, 60, 40])
    @pytest.mark.parametrize(
        ("sample", "name"), [("tutorial", "y"), ("tutorial", "d"), ("network", "W"), ("deep", "x")]
    )
    def test_widths(
        self, sample: str, name: str, width: int | None, snapshot: SnapshotAssertion
    ) -> None:
        assert of_node(sample, name, width) == snapshot

    @pytest.mark.parametrize(
        ("sample", "name"),
        [
            ("tutorial", "f"),
            ("wrt", "x"),
            ("constants", "a"),
            ("verdicts", "c"),
            ("unchecked", "y"),
        ],
    )
    def test_special_nodes(self, sample: str, name: str, snapshot: SnapshotAssertion) -> None:
        assert of_node(sample, name) == snapshot

    @pytest.mark.parametrize("name", NAMES)
    def test_every_node_has_one(self, name: str) -> None:
        for node in samples()[name].graph.nodes:
            lines = of_node(name, node.name, 60).splitlines()
            assert max(map(cell_width, lines)) <= 60

    def test_the_products_along_the_paths_add_up(self) -> None:
        result = samples()["tutorial"]
        for node in result.graph.nodes:
            found = focus(Steps(result), node.name)
            if found.paths[0].moves:
                total = sum(path.value for path in found.paths)
                np.testing.assert_allclose(total, result.accumulators[node.id])

    def test_an_upstream_is_a_factor(self) -> None:
        result = evaluate("x^2", {"x": 3}, upstream=2)
        (path,) = focus(Steps(result), "x").paths
        assert path.value == 12

    def test_many_paths_are_counted(self) -> None:
        lines = ["v0 = x + 1", *(f"v{i} = v{i - 1}*v{i - 1}" for i in range(1, 100))]
        result = evaluate("\n".join(lines), {"x": 0}, allow_nonfinite=True)
        found = focus(Steps(result), "x")
        assert found.number == 2**99
        assert len(found.paths) == MOST_PATHS

    def test_a_long_path(self) -> None:
        assert len(focus(Steps(chain(5000)), "x").paths[0].moves) == 5000

    def test_statements(self) -> None:
        steps = steps_of(evaluate(SIGMOID, {"x": 3, "y": -4}))
        found = focus(steps, "y")
        names = [[move.node.name for move in path.moves] for path in found.paths]
        assert names == [["c", "f"], ["a", "b", "f"]]
        inner = next(
            n for n in steps.graph.nodes if n.name not in steps.names and n.kind != "input"
        )
        with pytest.raises(GradcliError, match="inside a statement"):
            focus(steps, inner.name)

    def test_command(self) -> None:
        code, out, _ = gradcli(*POINT, "--node", "y", "--no-check")
        assert code == 0
        assert "  y → a → b → f   0.0176627 * 1 * 0.2 = 0.00353254\n" in out
        assert out.endswith("delta_y = -0.120719 + 0.00353254 = -0.117187   not checked\n")
        assert gradcli(*POINT, "--node", "y", "--ascii")[1].isascii()

    def test_json(self) -> None:
        found = strict(gradcli(*POINT, "--node", "y", "--json")[1])["node"]
        assert found["path_count"] == 2
        assert [path["nodes"] for path in found["paths"]] == [list("ydef"), list("yabf")]
        assert [line["step"] for line in found["contributions"]] == [4, 1]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--node", "q"), "error: the program has no node 'q'\n  hint: there are a, b, c"),
            (("--node", "y", "--pass", "forward"), "error: --node and --pass contradict"),
            (("--node", "y", "--style", "table"), "error: --node and --style table contradict"),
            (("--blank", "--json"), "--blank leaves out the numbers, and --json is for"),
            (("--blank", "--value"), "--blank leaves out the numbers, and --value is"),
        ],
    )
    def test_what_does_not_go(self, options: tuple[str, ...], message: str) -> None:
        code, out, err = gradcli(*POINT, *options)
        assert (code, out) == (2, "")
        assert message in err


class TestBlank:
    def test_listing(self, snapshot: SnapshotAssertion) -> None:
        code, out, _ = gradcli(*POINT, "--blank")
        assert code == 0
        assert out == snapshot

    def test_no_number_is_left(self) -> None:
        for options in ((), ("--style", "table"), ("--node", "y"), ("--by", "statement")):
            _, out, _ = gradcli(*POINT, "--blank", *options)
            assert "________" in out
            assert "0." not in out
            assert "checked" not in out

    def test_there_is_a_blank_for_every_number(self) -> None:
        _, out, _ = gradcli(*POINT, "--blank")
        assert out.count("________") == 6 + 9 + 2

    def test_a_wrong_block_is_not_given_away(self) -> None:
        wrong = "block sq(x) = x^2 with d/dx = 3*x\nsq(a)"
        assert gradcli(wrong, "--a", "2", "--blank")[0] == 0
