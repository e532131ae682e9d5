from __future__ import annotations

import pytest

from tests.codemods.spans import span
from tlfix.codemods import Declined, transform

TF = {"scale": "1.0 / 127.5", "offset": "-1"}
LAYERS = "from tensorflow.keras import layers\n"
LAYER = "layers.Rescaling(1.0 / 127.5, offset=-1, input_shape=(64, 64, 3))"


def rescale(source: str, **more: object) -> str:
    return transform(source, "use_rescaling", {**TF, **more})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Rescaling(1./255)", "Rescaling(1.0 / 127.5, offset=-1)"),
        ("Rescaling(scale=1./255)", "Rescaling(scale=1.0 / 127.5, offset=-1)"),
        (
            "Rescaling(1./255, input_shape=(9, 9, 3))",
            "Rescaling(1.0 / 127.5, input_shape=(9, 9, 3), offset=-1)",
        ),
        ("Rescaling(1./127.5, offset=0)", "Rescaling(1.0 / 127.5, offset=-1)"),
    ],
)
def test_a_layer_is_corrected(before: str, after: str) -> None:
    source = f"x = {before}(inputs)  # kept\n"
    changed = rescale(source, layers=[span(source, before)])
    assert changed == f"x = {after}(inputs)  # kept\n"
    with pytest.raises(Declined):
        rescale(changed, layers=[span(changed, after)])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("m = Sequential([base, head])\n", f"m = Sequential([{LAYER}, base, head])\n"),
        (
            "m = Sequential([\n    base,  # frozen\n    head,\n])\n",
            f"m = Sequential([\n    {LAYER},\n    base,  # frozen\n    head,\n])\n",
        ),
        ("m.add(base)\nm.add(head)\n", f"m.add({LAYER})\nm.add(base)\nm.add(head)\n"),
    ],
)
def test_a_layer_is_put_before_the_backbone(before: str, after: str) -> None:
    source = LAYERS + before
    where = {"before": [span(source, "base")], "input_shape": "(64, 64, 3)"}
    assert rescale(source, **where) == LAYERS + after
    windows = source.replace("\n", "\r\n")
    assert rescale(windows, **where) == (LAYERS + after).replace("\n", "\r\n")


def test_it_is_imported_where_no_name_leads_to_it() -> None:
    source = "from keras.layers import Dense\nm.add(base)\n"
    after = rescale(source, before=[span(source, "base")])
    compile(after, "x", "exec")
    assert "m.add(Rescaling(1.0 / 127.5, offset=-1))\nm.add(base)\n" in after
    assert "from keras.layers import Rescaling\n" in after


def test_another_scaling_on_the_path_is_removed() -> None:
    source = "x = Rescaling(1./255)(a)\ny = Rescaling(1./255, 0)(x)\n"
    after = rescale(
        source,
        layers=[span(source, "Rescaling(1./255)")],
        removals=[span(source, "Rescaling(1./255, 0)")],
    )
    assert after == "x = Rescaling(1.0 / 127.5, offset=-1)(a)\ny = x\n"
