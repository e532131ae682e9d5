from __future__ import annotations

import pytest

from tests.codemods.spans import span
from tlfix.codemods import Declined, transform

IMPORT = "from tensorflow.keras.applications import ResNet50\n"
NEW = "from tensorflow.keras.applications.resnet50 import preprocess_input\n"


def use(source: str, module: str = "resnet50", **places: object) -> str:
    return transform(source, "use_preprocess_input", {"module": module, **places})


def generator(source: str, module: str = "resnet50") -> str:
    call = source[source.index("ImageDataGenerator(") :].split("\n#end")[0].rstrip("\n")
    return use(source, module, generators=[span(source, call)])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "ImageDataGenerator(rescale=1./255)",
            "ImageDataGenerator(preprocessing_function=preprocess_input)",
        ),
        (
            "ImageDataGenerator( rescale = 1/255, zoom_range=0.2 )",
            "ImageDataGenerator( preprocessing_function = preprocess_input, zoom_range=0.2 )",
        ),
        (
            "ImageDataGenerator(\n    zoom_range=0.2,  # zoom\n    rescale=1/255,  # scale\n)",
            "ImageDataGenerator(\n    zoom_range=0.2,  # zoom\n"
            "    preprocessing_function=preprocess_input,  # scale\n)",
        ),
        ("ImageDataGenerator()", "ImageDataGenerator(preprocessing_function=preprocess_input)"),
        (
            "ImageDataGenerator(rescale=1/255, preprocessing_function=other)",
            "ImageDataGenerator(preprocessing_function=preprocess_input)",
        ),
    ],
)
def test_a_generator_gets_the_function_and_loses_rescale(before: str, after: str) -> None:
    assert generator(f"{IMPORT}g = {before}\n") == f"{IMPORT}{NEW}g = {after}\n"


def test_a_misplaced_function_moves_to_its_argument() -> None:
    before = f"{IMPORT}{NEW}g = ImageDataGenerator(preprocess_input, zoom_range=0.2)\n"
    assert generator(before) == (
        f"{IMPORT}{NEW}"
        "g = ImageDataGenerator(zoom_range=0.2, preprocessing_function=preprocess_input)\n"
    )


def test_it_is_idempotent() -> None:
    before = (
        f"{IMPORT}a = ImageDataGenerator(rescale=1/255)\nb = ImageDataGenerator(rescale=1/255)\n"
    )
    first = span(before, "ImageDataGenerator(rescale=1/255)")
    after = use(before, generators=[first])
    assert after.count("preprocessing_function") == 1
    with pytest.raises(Declined):
        generator(after)


@pytest.mark.parametrize(
    ("before", "operand", "cast", "after"),
    [
        ("x / 255.0", "x", None, "preprocess_input(x)"),
        ("x / 255.0", "x", "array", 'preprocess_input(x.astype("float32"))'),
        ("(a + b) / 255.0", "a + b", "array", 'preprocess_input((a + b).astype("float32"))'),
        ("x[0] / 127.5 - 1", "x[0]", "array", 'preprocess_input(x[0].astype("float32"))'),
        ("x / 255", "x", "tensor", "preprocess_input(tf.cast(x, tf.float32))"),
        (
            "tf.cast(x, tf.float32) / 255.0",
            "tf.cast(x, tf.float32)",
            None,
            "preprocess_input(tf.cast(x, tf.float32))",
        ),
        (
            'x.astype("float32") / 255.0',
            'x.astype("float32")',
            "array",
            'preprocess_input(x.astype("float32"))',
        ),
    ],
)
def test_an_expression_keeps_its_operand(
    before: str, operand: str, cast: str | None, after: str
) -> None:
    head = f"import tensorflow as tf\n{IMPORT}"
    source = f"{head}y = {before}  # scaled\n"
    where = span(source, before, operand, cast)
    assert use(source, expressions=[where]) == f"{head}{NEW}y = {after}  # scaled\n"


def test_an_augmented_assignment_becomes_a_plain_one() -> None:
    source = f"{IMPORT}x_train /= 255\n"
    assert use(source, expressions=[span(source, "x_train /= 255", cast="array")]) == (
        f'{IMPORT}{NEW}x_train = preprocess_input(x_train.astype("float32"))\n'
    )


def test_a_layer_becomes_the_function() -> None:
    source = f"{IMPORT}x = layers.Rescaling(1./255)(inputs)\n"
    assert use(source, layers=[span(source, "layers.Rescaling(1./255)")]) == (
        f"{IMPORT}{NEW}x = preprocess_input(inputs)\n"
    )


def test_a_layer_kept_in_a_variable_is_the_function_from_then_on() -> None:
    rest = "train = train.map(lambda x, y: (scale(x), y))\n"
    source = f"{IMPORT}scale = layers.Rescaling(1./255)\n{rest}"
    assert use(source, layers=[span(source, "layers.Rescaling(1./255)")]) == (
        f"{IMPORT}{NEW}scale = preprocess_input\n{rest}"
    )


def test_a_layer_that_stands_in_a_model_is_declined() -> None:
    source = f"{IMPORT}scale = layers.Rescaling(1./255)\nmodel = Sequential([scale, base])\n"
    with pytest.raises(Declined, match="used as one"):
        use(source, layers=[span(source, "layers.Rescaling(1./255)")])


def test_a_data_set_is_mapped_before_its_prefetch() -> None:
    source = f"{IMPORT}a = a.batch(2).prefetch(2)\nfit(b)\n"
    assert use(source, datasets=[span(source, "a.batch(2).prefetch(2)")]) == (
        f"{IMPORT}{NEW}"
        "a = a.batch(2).map(lambda x, y: (preprocess_input(x), y)).prefetch(2)\nfit(b)\n"
    )


def test_a_data_set_without_prefetch_is_mapped_at_its_end() -> None:
    source = f"{IMPORT}fit(train)\n"
    assert use(source, datasets=[span(source, "train")]) == (
        f"{IMPORT}{NEW}fit(train.map(lambda x, y: (preprocess_input(x), y)))\n"
    )


def test_wrapping() -> None:
    source = f"{IMPORT}x = base(inputs, training=False)\nfit(x_train)\n"
    places = [span(source, "inputs"), span(source, "x_train", cast="array")]
    assert use(source, wraps=places) == (
        f"{IMPORT}{NEW}x = base(preprocess_input(inputs), training=False)\n"
        'fit(preprocess_input(x_train.astype("float32")))\n'
    )


@pytest.mark.parametrize(
    ("imports", "added", "name"),
    [
        (
            "from tensorflow import keras\n",
            "",
            "keras.applications.mobilenet_v2.preprocess_input",
        ),
        (
            "import tensorflow as tf\n",
            "",
            "tf.keras.applications.mobilenet_v2.preprocess_input",
        ),
        (
            "from keras.applications import MobileNetV2\nimport os\n",
            "from keras.applications.mobilenet_v2 import preprocess_input\n",
            "preprocess_input",
        ),
        (
            "from keras.applications.mobilenet_v2 import preprocess_input as prep\n",
            "",
            "prep",
        ),
        (
            "from tensorflow.keras.applications import mobilenet_v2\n",
            "",
            "mobilenet_v2.preprocess_input",
        ),
        (
            "from tensorflow.keras import applications\n",
            "",
            "applications.mobilenet_v2.preprocess_input",
        ),
        (
            "from tensorflow.keras.applications.vgg16 import preprocess_input\n",
            "from tensorflow.keras.applications.mobilenet_v2 "
            "import preprocess_input as mobilenet_v2_preprocess_input\n",
            "mobilenet_v2_preprocess_input",
        ),
    ],
)
def test_the_name_is_written_as_the_program_writes_names(
    imports: str, added: str, name: str
) -> None:
    source = f"{imports}y = x / 255.0\n"
    after = use(source, "mobilenet_v2", expressions=[span(source, "x / 255.0", "x")])
    assert after.endswith(f"y = {name}(x)\n")
    assert sorted(after.splitlines()[:-1]) == sorted((imports + added).splitlines())


def test_a_function_of_the_programs_own_is_not_shadowed() -> None:
    source = f"{IMPORT}def preprocess_input(x):\n    return x / 255.0\n"
    after = use(source, expressions=[span(source, "x / 255.0", "x")])
    assert "import preprocess_input as resnet50_preprocess_input\n" in after
    assert after.endswith("    return resnet50_preprocess_input(x)\n")


def test_another_networks_function_is_replaced() -> None:
    source = (
        "from keras.applications import ResNet50\n"
        "from keras.applications.mobilenet import preprocess_input\n"
        "x = preprocess_input(x)\n"
    )
    after = use(source, renames=[span(source, "preprocess_input(x)")])
    assert after.endswith("x = resnet50_preprocess_input(x)\n")


def test_windows_line_ends_and_comments_stay() -> None:
    before = f"# façade\n{IMPORT}\n# scale\nx = x / 255.0   # kept\n"
    after = f"# façade\n{IMPORT}{NEW}\n# scale\nx = preprocess_input(x)   # kept\n"
    windows = before.replace("\n", "\r\n")
    where = span(before, "x / 255.0", "x")
    assert use(windows, expressions=[where]) == after.replace("\n", "\r\n")


def test_nothing_is_imported_where_nothing_changes() -> None:
    source = f"{IMPORT}x = 1\n"
    with pytest.raises(Declined, match="nothing to change"):
        use(source, generators=[span(source, "1")])


def test_a_choice_of_data_sets_is_mapped_as_a_whole() -> None:
    source = f"{IMPORT}fit(a if b else c)\n"
    assert use(source, datasets=[span(source, "a if b else c")]) == (
        f"{IMPORT}{NEW}fit((a if b else c).map(lambda x, y: (preprocess_input(x), y)))\n"
    )


def test_declines_what_it_could_not_call_or_cast() -> None:
    source = f"{IMPORT}fit(*pair)\n"
    with pytest.raises(Declined, match="not plain"):
        use(source, wraps=[span(source, "pair")])
    source = f"{IMPORT}f = lambda x, y: (x / 255, y)\nimport tensorflow as tf\n"
    with pytest.raises(Declined, match="TensorFlow is not imported"):
        use(source, expressions=[span(source, "x / 255", "x", "tensor")])
