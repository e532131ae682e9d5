from __future__ import annotations

import pytest

from tests.codemods.places import place
from tests.codemods.spans import span
from tlfix.codemods import Declined, Position, transform

BEFORE = """\
import numpy as np
import keras
from imblearn.over_sampling import SMOTE

x, y = load()

# More of the rare ones.
smote = SMOTE()
a, b = smote.fit_resample(x.reshape(len(x), -1), y)
model.fit(a, b)
"""
AFTER = """\
import numpy as np
import keras

x, y = load()

a, b = x.reshape(len(x), -1), y
counts = np.bincount(b)
# A class weighs the more the fewer images it has; on average an image weighs 1.
class_weight = {i: counts.sum() / (len(counts) * n) for i, n in enumerate(counts) if n}
model.fit(a, b, class_weight=class_weight)
"""


def weigh(source: str) -> str:
    lines = source.splitlines()
    line = next(i for i, text in enumerate(lines, 1) if "fit_resample" in text)
    text = lines[line - 1]
    start = text.index("=") + 2 if "=" in text else 0
    fit = next(i for i, text in enumerate(lines, 1) if text.startswith("model.fit"))
    parameters = {
        "resample": Position(line, start),
        "end": Position(line, len(text)),
        "fit": Position(fit, 0),
        "labels": "b",
    }
    return transform(source, "weight_instead_of_oversampling", parameters)


def test_the_sampler_goes_with_its_import() -> None:
    assert weigh(BEFORE) == AFTER


def test_an_import_that_something_else_needs_stays() -> None:
    source = BEFORE.replace("import SMOTE", "import SMOTE, ADASYN") + "print(ADASYN)\n"
    assert "from imblearn.over_sampling import SMOTE, ADASYN\n" in weigh(source)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("a, b = smote", "both = smote"), "taken apart"),
        (("import numpy as np\n", ""), "numpy is not imported"),
        (("fit(a, b)", "fit(a, b, class_weight=w)"), "weights already"),
        (("-1), y)", "-1), y, 3)"), "just images and labels"),
    ],
)
def test_declines_with_a_reason(change: tuple[str, str], reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        weigh(BEFORE.replace(*change))


def test_declines_a_fit_that_comes_first() -> None:
    with pytest.raises(Declined, match="does not come after"):
        weigh("import numpy\nmodel.fit(a, b)\n" + BEFORE.replace("model.fit(a, b)\n", ""))


def test_a_sampler_made_with_other_things_stays() -> None:
    source = (
        "import numpy as np\nimport keras\nsmote, k = SMOTE(), 3\n"
        "x, y = smote.fit_resample(x, y)\nmodel.fit(x, y)\nprint(k)\n"
    )
    resample = span(source, "smote.fit_resample(x, y)")
    places = {"resample": resample["start"], "end": resample["end"]}
    parameters = {**places, "fit": place(source, "model.fit"), "labels": "y"}
    assert "smote, k = SMOTE(), 3\n" in transform(
        source, "weight_instead_of_oversampling", parameters
    )
