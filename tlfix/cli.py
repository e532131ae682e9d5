"""The command line: reads options, calls :mod:`tlfix.api`, prints.

What is printed on stdout is the result alone; progress and remarks go to stderr. Renderers and
the parts that need TensorFlow's neighbours are imported by the command that uses them.
"""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from tlfix import __version__, api, writing
from tlfix.failures import failed, say
from tlfix.parameters import ScriptCommand, cause_ids, chosen, formatted, outputs, running
from tlfix.printable import name
from tlfix.writing import Writer

if TYPE_CHECKING:
    from tlfix.findings import Value


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with the exit code: 0 to 4, 129, 130, or 143."""
    # A run that is ended from outside must clean up after itself as an interrupted one does: end
    # the probed script, remove the worktree.
    signal.signal(signal.SIGTERM, _ended)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as it is under nohup
        signal.signal(signal.SIGHUP, _ended)
    if not writing.ready():
        say(
            "tlfix: standard output is closed, so there is nowhere to put the result. Open it, or "
            "redirect it to /dev/null."
        )
        sys.exit(2)
    try:
        code = cli.main(arguments, prog_name="tlfix", standalone_mode=False)
        writing.to_stdout(lambda _file: None)
    except click.Abort:
        say("tlfix: stopped.")
        code = 130
    except click.ClickException as error:
        error.message = name(error.message)  # type: ignore[misc]  # it may hold a file's name
        with suppress(OSError):
            error.show()
        code = error.exit_code
    except BrokenPipeError:
        # The reader (head, less) has what it wanted; Python must not complain while closing.
        code = 0
    except Exception as error:
        code = failed(error, api.refusals())
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            writing.give_up_on(stream)
    sys.exit(code if isinstance(code, int) else 0)


def _ended(number: int, _frame: FrameType | None) -> NoReturn:
    # A terminal that closes may send more than one; the second must not cut the cleaning short.
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tlfix")
def cli() -> None:
    """Find out why a Keras fine-tuning script does not learn, and fix it with proof."""


@cli.command(cls=ScriptCommand)
@click.argument("script", type=click.Path(path_type=Path))
@formatted
@outputs
@running
@click.option("--no-probe", is_flag=True, help="Only read the script, do not run it.")
@click.pass_context
def diagnose(
    ctx: click.Context,
    /,
    script: Path,
    format_: str,
    outputs_: tuple[tuple[str, Path], ...],
    no_probe: bool,
    **how: Any,
) -> int:
    """Run SCRIPT for a moment under instruments and say what is wrong with it."""
    from tlfix.report.progress import shown

    options = chosen(ctx, probe=not no_probe, **how)
    with shown(sys.stderr) as listener:
        result = api.diagnose(script, options, on_progress=listener)
    for note in result.notes:
        say(f"tlfix: {note}")

    def text(file: IO[str]) -> None:
        from tlfix.report import text as report

        report.page(
            file,
            lambda out: report.render(
                result.diagnosis,
                out,
                texts=result.texts,
                achieved=result.achieved,
                hint=_next(script, result, options),
            ),
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
@click.option("--only", multiple=True, callback=cause_ids, metavar="CAUSE", help="Fix only this.")
@click.option("--skip", multiple=True, callback=cause_ids, metavar="CAUSE", help="Do not fix this.")
@click.option("--no-verify", is_flag=True, help="Do not rerun the script to see if it helps.")
@click.option("--seeds", type=click.IntRange(3), help="Runs on each side.")
@click.option("-i", "--interactive", is_flag=True, help="Ask about each fix.")
@click.option("--include-uncommitted", is_flag=True, help="Take uncommitted changes along.")
@click.pass_context
def apply(
    ctx: click.Context,
    /,
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
    **how: Any,
) -> int:
    """Fix SCRIPT, rerun it, and keep what measurably helps.

    Without SCRIPT the latest diagnosis of this folder is used.
    """
    from tlfix.report.progress import shown

    if (branch is not None) + diff + in_place > 1:
        raise click.UsageError("choose one of --branch, --diff and --in-place.")
    if branch and script is None and Path(branch).is_file():
        # `--branch train.py`: the optional NAME has swallowed the script.
        script, branch = Path(branch), ""
    options = chosen(ctx, **how)
    mode: api.Mode = "diff" if diff else "in-place" if in_place else "branch"

    def precheck(named: Path) -> None:
        if mode == "branch":
            api.precheck(named, branch or None, include_uncommitted)

    script, found = _found(script, options, precheck)
    if found.exit_code == 3 and not no_verify:
        from tlfix.report.text import sentence

        reason = sentence(found.diagnosis.probe.reason or "it ended before any training")
        say(
            f"tlfix: {script} could not be probed, so no fix can be verified: {reason} Mend that "
            "first (tlfix diagnose shows what was read), or apply what was read with --no-verify."
        )
        return 3
    if interactive:
        only = _asked(found, only, skip)
        if not only:
            say("tlfix: no fix was chosen.")
            return 1
    with shown(sys.stderr) as listener:
        repair = api.apply(
            script, found, options, mode=mode, branch=branch or None, only=only, skip=skip,
            verify=not no_verify, include_uncommitted=include_uncommitted, seeds=seeds,
            on_progress=listener,
        )  # fmt: skip

    def text(file: IO[str]) -> None:
        from tlfix.report import repair_text
        from tlfix.report.text import page

        if diff and file is sys.stdout:
            # The patch alone, as it is, so that it can be piped into `git apply`.
            page(
                sys.stderr,
                lambda out: repair_text.render(repair, out, with_diff=False, written=False),
            )
            file.write(repair.diff)
        else:
            page(file, lambda out: repair_text.render(repair, out, written=not diff))

    _write(format_, outputs_, repair, text)
    return api.repair_exit_code(repair, found)


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@formatted
@outputs
def check(paths: tuple[Path, ...], format_: str, outputs_: tuple[tuple[str, Path], ...]) -> int:
    """Read PATHS (files or folders; default: this folder) without running anything."""
    from tlfix.checking import unexamined
    from tlfix.report import check_text

    result = api.check(paths or (Path("."),))

    def text(file: IO[str]) -> None:
        file.write(check_text.render(result))

    _write(format_, outputs_, result, text)
    if format_ != "text":
        for file in result.files:
            if file.skipped:
                say(f"tlfix: {check_text.not_examined(file)}")
    if unexamined(result, paths or (Path("."),)):
        return 2
    return int(any(c.severity != "note" for file in result.files for c in file.causes))


@cli.command()
@click.argument("name_", metavar="ID")
def explain(name_: str) -> int:
    """Explain a cause (preprocessing-mismatch, TL102) or a symptom (chance-validation)."""
    from tlfix.report import explain_text
    from tlfix.report.text import page

    found = api.explain(name_)
    writing.to_stdout(lambda file: page(file, lambda out: explain_text.render(found, out)))
    return 0


@cli.command()
def causes() -> int:
    """List every cause in the catalogue."""
    from tlfix.causes import registry
    from tlfix.report import explain_text
    from tlfix.report.text import page

    listed = registry.load()
    writing.to_stdout(lambda file: page(file, lambda out: explain_text.causes(listed, out)))
    return 0


def _found(
    script: Path | None, options: api.Options, precheck: Callable[[Path], None]
) -> tuple[Path, api.DiagnoseResult]:
    """The script to repair and its diagnosis: the kept one where it still holds, else a new one.

    ``precheck`` may refuse the script before it is run for a new one.
    """
    from tlfix.report.progress import shown

    if script is None:
        script, found = api.latest(Path.cwd())
        if options.arguments not in (None, found.arguments):
            raise click.UsageError("the script's arguments can only be given with SCRIPT.")
    elif (kept := api.kept(script, options)) is not None:
        found = kept
    else:
        precheck(script)
        with shown(sys.stderr) as listener:
            return script, api.diagnose(script, options, on_progress=listener)
    words = " ".join((str(script), *found.arguments))
    say(f"tlfix: using the kept diagnosis of {name(words)}")
    return script, found


def _asked(
    found: api.DiagnoseResult, only: tuple[str, ...], skip: tuple[str, ...]
) -> tuple[str, ...]:
    """The ids of the fixes that the user agrees to, asked one by one on stderr."""
    from tlfix.report.text import place

    agreed = []
    for cause in found.diagnosis.causes:
        wanted = cause.id in only if only else cause.severity != "note"
        if cause.fix is None or not wanted or cause.id in skip:
            continue
        where = f" at {place(cause.location)}" if cause.location else ""
        say(f"\n{cause.id}{where}: {cause.fix.summary}\n{cause.fix.diff}")
        if click.confirm("Try this fix?", default=True, err=True):
            agreed.append(cause.id)
    return tuple(agreed)


def _next(script: Path, result: api.DiagnoseResult, options: api.Options) -> str | None:
    """The command that follows a diagnosis with something to fix: run as this one was."""
    if not any(c.fix is not None and c.severity != "note" for c in result.diagnosis.causes):
        return None
    words = ["tlfix", "apply", str(script), "--branch"]
    if options.python is not None:
        words += ["--python", options.python]
    if options.sandbox != api.Options().sandbox:
        words += ["--sandbox", options.sandbox]
    if options.arguments:
        words += ["--", *options.arguments]
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """A word for a shell; one with control characters as Bash writes it, ``$'a\\nb'``."""
    if name(word) == word:
        return shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{name(escaped)}'"


def _write(
    format_: str, outputs_: tuple[tuple[str, Path], ...], value: Value, text: Writer
) -> None:
    """Each output file first, so that a pipe closed early does not cost them; then stdout."""
    from tlfix.report import json

    def document(file: IO[str]) -> None:
        file.write(json.render(value))

    writers: dict[str, Writer] = {"json": document, "text": text}
    for kind, path in outputs_:
        writing.to_file(path, writers[kind])
    writing.to_stdout(writers[format_])
