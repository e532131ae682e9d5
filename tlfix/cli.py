"""The command line: reads options, calls :mod:`tlfix.api`, prints.

What is printed on stdout is the result alone; progress and remarks go to stderr. Renderers and
the parts that need TensorFlow's neighbours are imported by the command that uses them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

import click

from tlfix import __version__, api
from tlfix.config import suggestion
from tlfix.failures import failed

if TYPE_CHECKING:
    from tlfix.findings import Value

FORMATS = ("text", "json")
LATER = ("sarif", "github", "markdown", "html")

Writer = Callable[[IO[str]], None]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with the exit code of DESIGN: 0, 1, 2, 3, 4, or 130."""
    try:
        code = cli.main(arguments, prog_name="tlfix", standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:
        click.echo("tlfix: stopped.", err=True)
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except BrokenPipeError:
        # The reader (head, less) has what it wanted; Python must not complain while closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        code = failed(error, api.refusals())
    sys.exit(code if isinstance(code, int) else 0)


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
            error.message = f"{error.message} (options of the script itself go after --)"
            raise

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


def _causes(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    try:
        return tuple(api.cause_id(value) for value in values)
    except api.UnknownName as error:
        raise click.BadParameter(f"{error}") from None


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
        click.option("--python", metavar="PATH", help="The interpreter of the script."),
        click.option("--seed", type=int, default=0, show_default=True, help="Of every random."),
        click.option(
            "--budget", "seconds", type=click.FloatRange(0, min_open=True), metavar="SECONDS",
            help="Wall time for each training.",
        ),
        click.option("--steps", type=click.IntRange(1), help="Training steps at most."),
        click.option(
            "--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS",
            help="Wall time for the whole probe.",
        ),
        click.option(
            "--sandbox", type=click.Choice(["auto", "landlock", "none"]), default="auto",
            show_default=True, help="How to keep the script from writing outside scratch folders.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


script_argument = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tlfix")
def cli() -> None:
    """Find out why a Keras fine-tuning script does not learn, and fix it with proof."""


@cli.command(cls=ScriptCommand)
@click.argument("script", type=script_argument)
@formatted
@outputs
@running
@click.option("--no-probe", is_flag=True, help="Only read the script, do not run it.")
@click.pass_context
def diagnose(
    ctx: click.Context,
    script: Path,
    format_: str,
    outputs_: tuple[tuple[str, Path], ...],
    no_probe: bool,
    **running: str | float | None,
) -> int:
    """Run SCRIPT for a moment under instruments and say what is wrong with it."""
    from tlfix.report.progress import shown

    options = _options(ctx, probe=not no_probe, **running)
    with shown(sys.stderr) as listener:
        result = api.diagnose(script, options, on_progress=listener)
    for note in result.notes:
        click.echo(f"tlfix: {note}", err=True)

    def text(file: IO[str]) -> None:
        from tlfix.report import text as report

        report.render(
            result.diagnosis,
            report.console(file),
            texts=result.texts,
            achieved=result.achieved,
            hint=_next(script, result),
        )

    _write(format_, outputs_, result.diagnosis, text)
    return result.exit_code


@cli.command(cls=ScriptCommand)
@click.argument("script", type=click.Path(path_type=Path), required=False)
@formatted
@outputs
@running
@click.option(
    "--branch", is_flag=False, flag_value="", metavar="[NAME]",
    help="Commit each fix to a new branch (the default).",
)  # fmt: skip
@click.option("--diff", is_flag=True, help="Print the verified patch, write nothing.")
@click.option("--in-place", is_flag=True, help="Patch the file itself, without git.")
@click.option("--only", multiple=True, callback=_causes, metavar="CAUSE", help="Fix only this.")
@click.option("--skip", multiple=True, callback=_causes, metavar="CAUSE", help="Do not fix this.")
@click.option("--no-verify", is_flag=True, help="Do not rerun the script to see if it helps.")
@click.option("--seeds", type=click.IntRange(1), help="Runs on each side (at least 3).")
@click.option("-i", "--interactive", is_flag=True, help="Ask about each fix.")
@click.option("--include-uncommitted", is_flag=True, help="Take uncommitted changes along.")
@click.pass_context
def apply(
    ctx: click.Context,
    script: Path | None,
    format_: str,
    outputs_: tuple[tuple[str, Path], ...],
    branch: str | None,
    diff: bool,
    in_place: bool,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    no_verify: bool,
    seeds: int | None,
    interactive: bool,
    include_uncommitted: bool,
    **running: str | float | None,
) -> int:
    """Fix SCRIPT, rerun it, and keep what measurably helps.

    Without SCRIPT the latest diagnosis of this folder is used.
    """
    from tlfix.report.progress import shown

    if (branch is not None) + diff + in_place > 1:
        raise click.UsageError("choose one of --branch, --diff and --in-place.")
    if seeds is not None and seeds < 3 and not no_verify:
        raise click.BadParameter("fewer than 3 runs prove nothing.", param_hint="'--seeds'")
    if branch and script is None and Path(branch).is_file():
        # `--branch train.py`: the optional NAME has swallowed the script.
        script, branch = Path(branch), ""
    options = _options(ctx, **running)
    mode: api.Mode = "diff" if diff else "in-place" if in_place else "branch"
    with shown(sys.stderr) as listener:
        script, found = _found(script, options, listener)
    if interactive:
        only = _chosen(found, only, skip)
        if not only:
            click.echo("tlfix: no fix was chosen.", err=True)
            return 1
    with shown(sys.stderr) as listener:
        repair = api.apply(
            script, found, options, mode=mode, branch=branch or None, only=only, skip=skip,
            verify=not no_verify, include_uncommitted=include_uncommitted, seeds=seeds,
            on_progress=listener,
        )  # fmt: skip

    def text(file: IO[str]) -> None:
        from tlfix.report import repair_text, text as report

        if diff and file is sys.stdout:
            # The patch alone, as it is, so that it can be piped into `git apply`.
            report_on = repair.model_copy(update={"diff": ""}) if repair.diff else repair
            repair_text.render(report_on, report.console(sys.stderr), patched=bool(repair.diff))
            file.write(repair.diff)
            return
        repair_text.render(repair, report.console(file))

    _write(format_, outputs_, repair, text)
    return api.repair_exit_code(repair, found)


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@formatted
@outputs
def check(
    paths: tuple[Path, ...], format_: str, outputs_: tuple[tuple[str, Path], ...]
) -> int:
    """Read PATHS (files or folders; default: this folder) without running anything."""
    result = api.check(paths or (Path("."),))

    def text(file: IO[str]) -> None:
        from tlfix.report import check_text

        file.write(check_text.render(result))

    _write(format_, outputs_, result, text)
    return int(any(c.severity != "note" for file in result.files for c in file.causes))


@cli.command()
@click.argument("name", metavar="ID")
def explain(name: str) -> int:
    """Explain a cause (preprocessing-mismatch, TL102) or a symptom (chance-validation)."""
    from tlfix.causes.spec import CauseSpec
    from tlfix.report import explain_text, text
    from tlfix.symptoms.spec import SymptomSpec

    out, found = text.console(sys.stdout), api.explain(name)
    if isinstance(found, CauseSpec):
        explain_text.cause(found, out)
    elif isinstance(found, SymptomSpec):
        explain_text.symptom(found, out)
    else:
        explain_text.unimplemented(found, out)
    return 0


@cli.command()
def causes() -> int:
    """List every cause in the catalogue."""
    from tlfix.causes import catalogue, registry
    from tlfix.report import explain_text, text

    fixable = frozenset(s.id for s in registry.load() if s.examples.cured is not None)
    explain_text.causes(catalogue.entries(), fixable, text.console(sys.stdout))
    return 0


def _options(ctx: click.Context, probe: bool = True, **running: str | float | None) -> api.Options:
    return api.Options(
        arguments=ctx.meta["tlfix.arguments"],
        probe=probe,
        budget_seconds=running.pop("seconds"),
        **running,
    )


