"""Options and arguments that the commands share."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tlfix.config import suggestion
from tlfix.lookup import UnknownName, cause_id
from tlfix.options import Options

FORMATS = ("text", "json")
LATER = ("sarif", "github", "markdown", "html")

LARGEST_SEED = 2**32 - 1
"""The largest that NumPy's seeding takes."""


class Seconds(click.FloatRange):
    """A finite number of seconds above 0."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The value as a number; infinity and NaN, which no comparison refuses, are refused."""
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a finite number of seconds above 0.", param, ctx)
        return seconds


class ScriptCommand(click.Command):
    """A command that hands everything after ``--`` to the user's script, untouched."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split off the script's arguments; None if there is no ``--``."""
        ctx.meta["tlfix.arguments"] = None
        if "--" in args:
            at = args.index("--")
            ctx.meta["tlfix.arguments"] = tuple(args[at + 1 :])
            args = args[:at]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            message = f"{error.format_message()} (Options of the script itself go after --.)"
            raise click.UsageError(message, ctx) from None

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The usage line, with the script's arguments."""
        return [*super().collect_usage_pieces(ctx), "[-- SCRIPT ARGUMENTS]"]


def _format(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value in FORMATS:
        return value
    available = f"choose {' or '.join(FORMATS)}"
    if value in LATER:
        raise click.BadParameter(f"{value!r} is not part of this version yet; {available}.")
    raise click.BadParameter(f"{value!r} is no format; {available}{suggestion(value, FORMATS)}")


def _outputs(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, Path], ...]:
    found = []
    for value in values:
        name, equals, file = value.partition("=")
        if not equals or not file:
            raise click.BadParameter(f"{value!r} should be FORMAT=FILE.")
        path = Path(file)
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise click.BadParameter(f"{file!r} cannot be written: no such folder, or a folder.")
        found.append((_format(ctx, param, name), path))
    return tuple(found)


def cause_ids(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Causes named by id or code, as ids."""
    try:
        return tuple(cause_id(value) for value in values)
    except UnknownName as error:
        raise click.BadParameter(f"{error}") from None


def _python(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and shutil.which(value) is None:
        raise click.BadParameter(f"{value!r} is no interpreter that can be run.")
    return value


formatted = click.option(
    "--format", "format_", default="text", callback=_format, help="On stdout: text or json."
)
outputs = click.option(
    "--output", "outputs_", multiple=True, callback=_outputs, metavar="FORMAT=FILE",
    help="Write another format to a file; may be given several times.",
)  # fmt: skip


def running(command: Callable[..., int]) -> Callable[..., int]:
    """The options of every command that runs the script."""
    options = (
        click.option(
            "--python", metavar="PATH", callback=_python, help="The interpreter of the script."
        ),
        click.option(
            "--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
            help="Seed of every random choice.",
        ),
        click.option(
            "--budget", "seconds", type=Seconds(), metavar="SECONDS",
            help="Wall time for each training.",
        ),
        click.option("--steps", type=click.IntRange(1), help="Training steps at most."),
        click.option(
            "--timeout", type=Seconds(), metavar="SECONDS",
            help="Wall time for the whole probe.",
        ),
        click.option(
            "--sandbox", type=click.Choice(["auto", "landlock", "none"]), default="auto",
            show_default=True,
            help="How to keep the script from writing outside scratch folders. With none, writes "
            "are not redirected: the script changes files as it would alone.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def chosen(ctx: click.Context, probe: bool = True, **running: Any) -> Options:
    """The options of :func:`running` as one value."""
    return Options(
        arguments=ctx.meta["tlfix.arguments"],
        probe=probe,
        budget_seconds=running.pop("seconds"),
        **running,
    )
