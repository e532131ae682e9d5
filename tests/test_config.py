from __future__ import annotations

from pathlib import Path

import pytest

from tlfix.config import ConfigError, Settings, load
from tlfix.options import Options, budget, interpreter

CAUSES = {"preprocessing-missing": "TL101", "learning-rate-low": "TL502"}


def project(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def test_every_key_is_read(tmp_path: Path) -> None:
    project(
        tmp_path,
        """
        [tool.tlfix]
        select = ["preprocessing-missing"]
        ignore = ["tl502"]
        per-file-ignores = { "old/*.py" = ["TL101"] }
        python = "env/bin/python"
        args = ["--epochs", "3"]
        seeds = 5

        [tool.tlfix.budget]
        seconds = 20
        steps = 40
        images = 64
        timeout = 300.5
        """,
    )
    script = tmp_path / "old" / "train.py"
    script.parent.mkdir()
    settings = load(script, CAUSES)
    assert settings.select == ("preprocessing-missing",)
    assert settings.ignore == ("learning-rate-low",)
    assert settings.args == ("--epochs", "3")
    assert settings.seeds == 5
    assert settings.ignored_in(str(script)) == {"preprocessing-missing"}
    assert settings.ignored_in(str(tmp_path / "new.py")) == frozenset()
    assert interpreter(Options(), settings) == str(tmp_path / "env/bin/python")
    limits = budget(Options(steps=7), settings)
    assert (limits.seconds, limits.steps, limits.images, limits.timeout) == (20, 7, 64, 300.5)


def test_without_a_file_or_a_section_the_defaults_hold(tmp_path: Path) -> None:
    assert load(project(tmp_path, "[tool.other]\nkey = 1\n"), CAUSES) == Settings(root=tmp_path)


def test_the_nearest_file_holds(tmp_path: Path) -> None:
    project(tmp_path, "[tool.tlfix]\nseeds = 9\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    assert load(inner, CAUSES).seeds == 9
    project(inner, "[tool.tlfix]\nseeds = 4\n")
    assert load(inner, CAUSES).seeds == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('ignor = ["TL101"]', 'ignor: unknown key; did you mean "ignore"?'),
        ("budget = { second = 3 }", 'budget.second: unknown key; did you mean "seconds"?'),
        ("root = '.'", "root: unknown key"),
        ("per_file_ignores = {}", 'unknown key; did you mean "per-file-ignores"?'),
        ('seeds = "3"', 'seeds: should be a whole number, is "3"'),
        ("seeds = 2", "seeds: should be 3 or more, is 2"),
        ("args = [3]", "args, item 1: should be a string, is 3"),
        ("ignore = 'TL101'", 'ignore: should be a list of strings, is "TL101"'),
        ("budget = { timeout = inf }", "budget.timeout: should be a finite number, is inf"),
        ("budget = { seconds = nan }", "budget.seconds: should be "),
        ("budget = 3", "budget: should be a table, is 3"),
        ("per-file-ignores = []", "per-file-ignores: should be a table, is []"),
        ('per-file-ignores = { "a.py" = "TL101" }', "should be a list of strings, is"),
        ("seeds = true", "seeds: should be a whole number, is true"),
        ("budget = { seconds = 0 }", "budget.seconds: should be more than 0, is 0"),
        ('python = ""', 'python: should be the name or path of a Python interpreter, is ""'),
        ('python = " "', "python: should be the name or path"),
        ("budget = { steps = 0 }", "budget.steps: should be 1 or more"),
        (
            'ignore = ["preprocesing-missing"]',
            "no such cause: 'preprocesing-missing'; did you mean \"preprocessing-missing\"?",
        ),
        ('per-file-ignores = { "a.py" = ["TL999"] }', "no such cause: 'TL999'"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    project(tmp_path, f"[tool.tlfix]\n{text}\n")
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, CAUSES)
    assert said in str(raised.value)
    assert str(tmp_path / "pyproject.toml") in str(raised.value)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    project(tmp_path, "[tool.tlfix\n")
    with pytest.raises(ConfigError, match=r"pyproject\.toml: cannot be read"):
        load(tmp_path, CAUSES)
