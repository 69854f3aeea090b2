"""Commands on top of Typer: options in groups, values of inputs, help with examples first.

A command is a function of groups of options and a few options of its own:

    @command("check", usage="PROGRAM [options]", examples=('gradcli check "x^2" --x 3',))
    def check(point: PointOptions, report: ReportOptions, *, strict: Strict = False) -> Outcome:
        ...  # and its docstring is the help

A group is a class whose annotated attributes are options as Typer knows them. Typer gets to see
one flat function; the command's function gets the groups. So a group is written once, and every
command that has it has the same options with the same help.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Annotated, Any, NamedTuple, get_origin, get_type_hints

import typer
from typer.core import TyperArgument, TyperCommand, TyperOption

from gradcli.cli.argv import Binding, Words, sort_words
from gradcli.cli.environment import Environment
from gradcli.diagnostics.failures import usage_error

GENERAL = "General"


class Outcome(NamedTuple):
    """The output of a command: a text in pieces (or bytes), where it goes, the exit code."""

    text: Iterable[str] | bytes
    code: int | Callable[[], int] = 0
    """A function where the code is only known when the text has been made."""
    file: str | None = None
    """Where `--out` sends the text; None is standard output."""

    def exit_code(self) -> int:
        """The exit code, once the text has been delivered."""
        return int(self.code() if callable(self.code) else self.code)


class Finished(Exception):
    """Help or the version was asked for: nothing is to be done but to print it."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


# --- options in groups -------------------------------------------------------------------


class Options:
    """A group of options: an attribute each, annotated as a parameter of a Typer command.

    Besides, a group knows what its command was called with: the `bindings`, the names of all
    `option_names`, and the `environment`.
    """

    bindings: tuple[Binding, ...]
    option_names: tuple[str, ...]
    environment: Environment

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)


def flat(function: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """The function with one parameter per option, as Typer reads it."""
    groups: dict[str, tuple[type[Options], list[str]]] = {}
    single: list[str] = []
    parameters = [_parameter("context", typer.Context)]
    defaults = inspect.signature(function).parameters
    for name, hint in get_type_hints(function, include_extras=True).items():
        if isinstance(hint, type) and issubclass(hint, Options):
            fields = _fields(hint)
            groups[name] = hint, [n for n, _ in fields]
            parameters += [_parameter(n, h, getattr(hint, n)) for n, h in fields]
        elif name != "return":
            single.append(name)
            parameters.append(_parameter(name, hint, defaults[name].default))

    def called(context: typer.Context, **values: Any) -> Outcome:
        outside = {**context.meta[_CALLED_WITH], "environment": context.obj}
        arguments: dict[str, Any] = {name: values[name] for name in single}
        for name, (group, fields) in groups.items():
            arguments[name] = group(**{n: values[n] for n in fields}, **outside)
        return function(**arguments)

    called.__name__ = function.__name__
    called.__doc__ = function.__doc__
    called.__annotations__ = {}
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return called


def _fields(group: type[Options]) -> list[tuple[str, Any]]:
    """The options of a group in order, each with its annotation."""
    hints = get_type_hints(group, include_extras=True)
    return [(name, hint) for name, hint in hints.items() if get_origin(hint) is Annotated]


def _parameter(name: str, hint: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=hint)


# --- commands ----------------------------------------------------------------------------

_CALLED_WITH = "gradcli.called_with"
NAMES_WIDTH = 18
"""The column of option names in help: where a name is longer, its text begins a line below."""


def general_options() -> list[TyperOption]:
    """What every command has, and gradcli itself. Typer never acts on them: `parse_args` does."""
    flag: dict[str, Any] = {"is_flag": True, "expose_value": False, "rich_help_panel": GENERAL}
    return [
        TyperOption(param_decls=["--version"], help="print the version", **flag),
        TyperOption(param_decls=["--help", "-h"], help="print this help", **flag),
    ]


def version() -> Outcome:
    """What `--version` prints."""
    from gradcli import __version__

    return Outcome([f"gradcli {__version__}\n"])


class Command(TyperCommand):
    """A command whose words are sorted by `argv` before Typer reads its options."""

    examples: tuple[str, ...] = ()
    usage: str = ""

    @property
    def binds(self) -> bool:
        """Whether names that are no options are inputs of a program."""
        return any(parameter.name == "settings" for parameter in self.params)

    def takes_value(self) -> dict[str, bool]:
        """The command's options, and whether a value follows."""
        options = [p for p in self.params if isinstance(p, TyperOption)]
        return {name: not option.is_flag for option in options for name in option.opts}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Sort the words, and give Typer what is for Typer."""
        lenient = bool(ctx.resilient_parsing)
        options = self.takes_value()
        words = sort_words(args, options, binds=self.binds, lenient=lenient)
        if not lenient:
            if "--help" in words.options:
                raise Finished(Outcome([self.get_help(ctx) + "\n"]))
            if "--version" in words.options:
                raise Finished(version())
            self._expect_positional(words, options)
        ctx.meta[_CALLED_WITH] = {
            "bindings": tuple(words.bindings),
            "option_names": tuple(options),
        }
        return super().parse_args(ctx, [*words.options, "--", *words.positional])

    def _expect_positional(self, words: Words, options: Collection[str]) -> None:
        given = words.positional
        arguments = [p for p in self.params if isinstance(p, TyperArgument)]
        if any(argument.nargs == -1 for argument in arguments) or len(given) <= len(arguments):
            return
        extra = given[len(arguments)]
        hint = None
        if extra.partition("=")[0] in options:
            hint = "options stand before a bare --, which ends them"
        elif self.binds:
            hint = _hint_for_extra(extra, words.bindings)
        raise usage_error(f"unexpected argument '{extra}'", hint)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Examples, then how it is called, then the options by group."""
        first, _, more = (self.help or "").partition("\n\n")
        write_title(formatter, ctx.command_path, first)
        write_examples(formatter, self.examples)
        formatter.write_paragraph()
        formatter.write_usage(ctx.command_path, self.usage)
        if more:
            formatter.write_paragraph()
            formatter.write_text(more)
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.params:
            assert isinstance(parameter, TyperArgument | TyperOption)
            records = groups.setdefault(parameter.rich_help_panel or GENERAL, [])
            records.append(help_record(parameter))
            if parameter.name == "program":
                records.append(("--NAME VALUE", "the value of the input NAME"))
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records, col_max=NAMES_WIDTH)


def _hint_for_extra(extra: str, bindings: Sequence[Binding]) -> str:
    """What an argument too many may have been meant as."""
    name = extra.lstrip("-").partition("=")[0].rstrip(":")
    if name.isidentifier() and (extra.startswith("-") or "=" in extra):
        return f"an input gets its value by --{name} VALUE"
    for binding in bindings:
        if binding.text in ("", "="):
            return f"leave out the spaces around the '=': {binding.origin}={extra}"
    if extra.strip("-.,")[:1].isdecimal():
        if bindings:
            return f"an array is one argument, in quotes: {bindings[-1].origin} '[1, 2]'"
        return f"an input gets its value by its name: --x {extra}"
    return 'put quotes around a program that contains spaces: "x^2 + 1"'


def help_record(parameter: TyperArgument | TyperOption) -> tuple[str, str]:
    """How a parameter is written, and what it is for."""
    text = parameter.help or ""
    if isinstance(parameter, TyperArgument):
        return parameter.metavar or parameter.human_readable_name, text
    if parameter.show_default and not parameter.is_flag and parameter.default is not None:
        text += f" [default: {parameter.default}]"
    names = ", ".join(sorted(parameter.opts, key=len))
    return (names if parameter.is_flag else f"{names} {parameter.metavar}"), text


def write_title(formatter: Any, name: str, text: str) -> None:
    """The first line of a help: a name, and what it is for."""
    text = " ".join(text.split()).rstrip(".")
    formatter.write_text(f"{name}: {text[:1].lower()}{text[1:]}")


def write_examples(formatter: Any, examples: Iterable[str]) -> None:
    """Examples as they are typed: not wrapped, so they should be no wider than 58 columns."""
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"  {example}\n")


def command(
    name: str, *, usage: str, examples: tuple[str, ...]
) -> Callable[[Callable[..., Outcome]], Command]:
    """Make a command of a function; its docstring is the help."""

    def decorate(function: Callable[..., Outcome]) -> Command:
        single = typer.Typer(
            add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
        )
        single.command(name, cls=Command, add_help_option=False)(flat(function))
        made = typer.main.get_command(single)
        assert isinstance(made, Command)
        made.params += general_options()
        made.usage, made.examples = usage, examples
        return made

    return decorate
