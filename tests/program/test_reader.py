from __future__ import annotations

import random
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.program.seeds import SEEDS
from tlfix.program.model import Program, Site
from tlfix.program.reader import read


def cut(text: str, site: Site) -> str:
    """The source at a site, by characters."""
    lines = text.splitlines(keepends=True)[site.line - 1 : site.end_line]
    lines[-1] = lines[-1][: site.end_column]
    lines[0] = lines[0][site.column :]
    return "".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "import numpy\nnumpy.array([1]).fit(1, epochs=2)\n",
        "import keras\ndef broken(:\n",
        "import keras\nprint 'two'\n",
        "import keras\n\x00",
        "import keras\nx = " + "(" * 5000,
        "import keras\nx = " + "+".join(["a"] * 50_000),
        "keras" * 3,
        "# keras is mentioned\n",
    ],
)
def test_what_is_no_training_program(text: str) -> None:
    assert read(text, "a.py") == Program("a.py", text, training=False)


def test_a_file_of_something_else_is_not_even_parsed() -> None:
    # It would be refused if it were.
    assert not read("def broken(:", "a.py").training


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "+".join(["a"] * 900),
        "x = " + "[" * 90 + "]" * 90,
        "x = f" + ".g()" * 800,
        "\n".join(f"{'    ' * depth}if a:" for depth in range(90)) + "\n" + "    " * 90 + "pass",
        "if a:\n    pass\n" + "elif b:\n    pass\n" * 2000,
        "def f():\n    return f()\nf()\n" * 50,
        "\n".join(f"def f{n}():\n    return f{n + 1}() + f{n + 1}()" for n in range(60)) + "\nf0()",
        "x = 1\n" + "x = x * 10 ** 60\n" * 500,
        "x = 'a'\n" + "x = x + x\n" * 200,
        "x = []\n" + "x = [x, x]\n" * 200 + "import keras\nkeras.Sequential(x)\n",
        "x = y / 255\n" + "x = x + x\n" * 200 + "f(x)\n",
        "x = keras.Input((3,))\n" + "x = keras.layers.Dense(3)(x)\n" * 1500 + "m.fit(x, y)\n",
        "x = y\n" + "x = x.f(x)\n" * 100 + "m = keras.Sequential()\nm.fit(x, validation_data=x)\n",
        "x = [1]\n" + "x = [x, x, x, x, x, x, x, x]\n" * 12 + "keras.f(x)\n",
        "x = y\n" + "x = x.f(x) if a else x.g(x)\n" * 60 + "keras.Sequential().fit(x, y)\n",
        "x = y / 255\n" + "x = (x + 1).f(x, [x, x]) if a else x[x]\n" * 60 + "f(x)\n",
        "m = keras.Model(x, y)\n" + "m = keras.Model(x, [m(x), m(x)])\n" * 60 + "m.compile('a')\n",
        "x = []\nx.append(x)\nd = {}\nd['d'] = d\nkeras.Sequential(x).fit(d, x, class_weight=d)\n",
        "lambda: (yield)\n",
        "class A(A): pass\nclass B(B, metaclass=B): b = B\nB.b.b.b()\n",
        "del x\nglobal y\nnonlocal_ = 1\nasync def f():\n    async with a as b: await c\n",
        "match x:\n    case [1, *rest]:\n        rest()\n    case {'a': y}:\n        y()\n",
        "try:\n    a()\nexcept* E as e:\n    b()\nelse:\n    c()\nfinally:\n    d()\n",
        "print(*a, **b)\nf(*[1, 2], **{'x': 3})\n(a, *b), c = d\n",
        "x[1:2, ..., None] = y = z[0]\n",
        "f'{x!r:>{width}} {keras.Dense(1)}'\n",
        "with open('a') as f, g() as (h, i): pass\n",
    ],
)
def test_odd_programs_are_read_to_the_end(text: str) -> None:
    # The last line is met whatever stands before it.
    program = read(f"import keras\n{text}\nkeras.applications.VGG16()\n", "a.py")
    assert [backbone.architecture for backbone in program.backbones] == ["VGG16"]


def test_the_standard_librarys_own_tests_can_be_read() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    files = sorted((folder / "test").glob("**/*.py")) or sorted(folder.glob("**/*.py"))
    random.Random(0).shuffle(files)
    for file in files[:300]:
        text = file.read_text("utf-8", errors="replace")[:60_000]
        text = text[: text.rfind("\n\n\n") + 1] or text
        program = read(f"import keras\n{text}", str(file))
        assert program.fits == () or "fit" in text


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_sites_under_every_line_end(newline: str) -> None:
    text = "import keras\n# é\nm = (keras\n    .Sequential([\n    keras.layers.Dense(1)]))\n"
    text = text.replace("\n", newline)
    calls = read(text, "a.py").calls
    assert [cut(text, call.site) for call in calls] == [
        "keras.layers.Dense(1)",
        f"keras{newline}    .Sequential([{newline}    keras.layers.Dense(1)])",
    ]


def test_columns_count_characters() -> None:
    text = "import keras\nx = {'größe': '日本'}; m = keras.layers.Dense(units='é🎉', name=2)\n"
    (call,) = read(text, "a.py").calls
    assert cut(text, call.site) == "keras.layers.Dense(units='é🎉', name=2)"
    assert [cut(text, argument.site) for argument in call.keywords] == ["'é🎉'", "2"]


def test_a_byte_order_mark_counts_for_nothing() -> None:
    (call,) = read("\ufeffkeras = 1; f()\n", "a.py").calls
    assert call.site.column == 11


def test_every_text_is_its_sites_source() -> None:
    for text in SEEDS.values():
        for call in read(text, "a.py").calls:
            for argument in (*call.positional, *call.keywords):
                assert cut(text, argument.site) == argument.text


def test_call_at_meets_a_line_the_probe_recorded() -> None:
    text = "import keras\nm = keras.Sequential()\nm.fit(\n    x,\n    y,\n)\n"
    program = read(text, "a.py")
    call = program.call_at(4, "fit")
    assert call is program.fits[0].call


def test_reading_is_deterministic() -> None:
    for text in SEEDS.values():
        assert repr(read(text, "a.py")) == repr(read(text, "a.py"))


def test_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, tlfix.program.reader\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'libcst', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or None)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


class TestSeeds:
    """The programs of the documents that this project began with, in short."""

    @pytest.mark.parametrize("name", sorted(SEEDS))
    def test_read(self, name: str) -> None:
        assert read(SEEDS[name], "seed.py").training

    def test_different_sizes(self) -> None:
        program = read(SEEDS["different-sizes"], "seed.py")
        (fit,) = program.fits
        sizes = [source.call.constant("target_size") for source in (*fit.training, *fit.validation)]
        assert sizes == [(150, 150), (200, 200)]
        assert [(b.architecture, b.uses[0].kind) for b in program.backbones] == [
            ("ResNet50", "inlined")
        ]
        assert [scaling.scale for scaling in program.scalings] == [1 / 255] * 2
        assert [(layer.units, layer.activation) for layer in program.outputs] == [(10, "softmax")]

    def test_aligned_sizes(self) -> None:
        program = read(SEEDS["aligned-sizes"], "seed.py")
        assert {source.call.constant("class_mode") for source in program.sources} == {"categorical"}
        assert program.backbones[0].module == "inception_v3"

    def test_no_augmentation(self) -> None:
        (generator, other) = read(SEEDS["no-augmentation"], "seed.py").generators
        assert [argument.keyword for argument in generator.keywords] == ["rescale"]
        assert other.targets == ("val_datagen",)

    def test_one_rate(self) -> None:
        (compiled,) = read(SEEDS["one-rate"], "seed.py").compiles
        assert compiled.learning_rate is not None and compiled.learning_rate.value == 1e-3

    def test_class_weight_is_an_array(self) -> None:
        (fit,) = read(SEEDS["class-weight-array"], "seed.py").fits
        assert fit.class_weight is not None and fit.class_weight.call is not None
        assert fit.class_weight.call.name == "sklearn.utils.class_weight.compute_class_weight"

    def test_scaled_both_ways(self) -> None:
        program = read(SEEDS["scaled-both-ways"], "seed.py")
        assert [(s.scale, s.offset) for s in program.scalings] == [
            (1 / 127.5, -1.0),
            (1 / 255, 0.0),
        ]
        assert {use.kind for use in program.backbones[0].uses} == {"features"}

    def test_unfrozen_too_late(self) -> None:
        program = read(SEEDS["head-then-top"], "seed.py")
        assert [(c.target, c.value) for c in program.trainable] == [
            ("base_model.layers", False),
            ("base_model.layers[-5:]", True),
        ]
        assert [len(fit.training) for fit in program.fits] == [1, 1]

    def test_smote(self) -> None:
        program = read(SEEDS["smote"], "seed.py")
        assert list(program.calls_named("SMOTE"))
        assert program.fits[0].training[0].variable == "x_resampled"

    def test_raw_pixels(self) -> None:
        program = read(SEEDS["raw-pixels"], "seed.py")
        assert program.scalings == () and program.backbones[0].uses[0].training is False

    def test_unit_pixels(self) -> None:
        (use,) = read(SEEDS["unit-pixels"], "seed.py").backbones[0].uses
        assert [(s.kind, s.scale) for s in use.scalings] == [("layer", 1 / 255)]

    def test_batchnorm_unfrozen(self) -> None:
        changes = read(SEEDS["batchnorm-unfrozen"], "seed.py").trainable
        assert [(c.value, c.condition) for c in changes] == [
            (False, None),
            (True, "isinstance(layer, layers.BatchNormalization)"),
        ]

    def test_unfrozen(self) -> None:
        (change,) = read(SEEDS["unfrozen"], "seed.py").trainable
        assert (change.target, change.value) == ("base_model", True)

    def test_staged(self) -> None:
        program = read(SEEDS["staged"], "seed.py")
        compiles = [compiled.call.order for compiled in program.compiles]
        orders = [change.order for change in program.trainable]
        assert orders[0] < compiles[0] < orders[1] <= orders[2] < compiles[1]
        rates = [each.learning_rate and each.learning_rate.value for each in program.compiles]
        assert rates == [None, 1e-5]

    @pytest.mark.parametrize(
        ("name", "rate"), [("old-rate", 1e-3), ("little-data", 1e-4), ("rate-too-high", 1e-2)]
    )
    def test_removed_keyword(self, name: str, rate: float) -> None:
        program = read(SEEDS[name], "seed.py")
        assert [use.row for use in program.removed] == ["optimizer-lr"]
        (compiled,) = program.compiles
        assert compiled.learning_rate is not None and compiled.learning_rate.value == rate
