from __future__ import annotations

import pytest

from tests.causes.scaling_cases import CAFFE, cure, findings
from tests.traces import UNIT, backbone, door, fit, probe, trace
from tlfix.causes.channel_order import CAUSE
from tlfix.probe.trace import Door, Trace

READS = CAUSE.examples.sick
CONVERTS = CAUSE.examples.healthy
CONVERSION = "    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)\n"


def measured(
    plain: float, turned: float, *, n: int = 200, opening: Door | None = None, **network: object
) -> Trace:
    """Two linear probes: as fed, and with reversed channels."""
    probes = (
        probe("as-is", plain, n=n),
        probe("as-is", turned, n=n, variant="flipped"),
    )
    one = fit(doors=(opening or door(),), probes=probes)
    return trace(one, backbones=(backbone(**network),))


def test_the_source_alone_gives_a_warning() -> None:
    (finding,) = findings(CAUSE, READS)
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert finding.site is not None and finding.site.line == 11


def test_the_other_order_is_better() -> None:
    (finding,) = findings(CAUSE, READS, measured(0.70, 0.85))
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert finding.cost == pytest.approx(0.15)
    values = {m.name: m for e in finding.evidence for m in e.measured}
    assert values["p"].value is not None and values["p"].value < 0.01
    assert values["p"].n == 200
    assert cure(CAUSE, READS, measured(0.70, 0.85)) == CAUSE.examples.cured


def test_better_by_measurement_alone_is_told_without_a_place_to_change() -> None:
    (finding,) = findings(CAUSE, CONVERTS, measured(0.70, 0.85))
    assert (finding.severity, finding.confidence) == ("error", "likely")
    assert finding.remedy is None and finding.advice


def test_under_a_wrong_scaling_it_proves_less() -> None:
    (finding,) = findings(CAUSE, CONVERTS, measured(0.70, 0.85, opening=door(UNIT)))
    assert finding.severity == "warning"


@pytest.mark.parametrize("turned", [0.80, 0.82])
def test_no_better_is_only_a_note(turned: float) -> None:
    (finding,) = findings(CAUSE, READS, measured(0.80, turned))
    assert (finding.severity, finding.confidence) == ("note", "possible")
    assert finding.remedy is None
    assert findings(CAUSE, CONVERTS, measured(0.80, turned)) == []


def test_worse_refutes_the_source() -> None:
    assert findings(CAUSE, READS, measured(0.80, 0.70)) == []


def test_a_gain_on_few_images_proves_nothing() -> None:
    (finding,) = findings(CAUSE, READS, measured(0.70, 0.90, n=20))
    assert finding.severity == "note"


def test_a_clear_fall_of_the_divergence_is_a_warning() -> None:
    clear = door(divergence=6.0, divergence_flipped=0.2)
    (finding,) = findings(CAUSE, CONVERTS, measured(0.80, 0.82, opening=clear))
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    # As measured on photographs in either order.
    small = door(divergence=0.136, divergence_flipped=0.126)
    assert findings(CAUSE, CONVERTS, measured(0.80, 0.82, opening=small)) == []


def test_without_a_comparison_the_probe_says_nothing() -> None:
    alone = trace(fit(doors=(door(),), probes=(probe("as-is", 0.7),)))
    assert findings(CAUSE, READS, alone) == []


def test_weights_that_could_not_be_had_leave_the_source_to_speak() -> None:
    (finding,) = findings(CAUSE, READS, measured(0.5, 0.5, weights_status="missing"))
    assert finding.severity == "warning" and finding.evidence[0].source == "static"
    assert findings(CAUSE, READS, measured(0.5, 0.5, weights_status="random")) == []


READ = "    image = cv2.imread(path)  # blue, green, red\n"


@pytest.mark.parametrize(
    "text",
    [
        CONVERTS,
        READS.replace("cv2.resize(image, (96, 96))", "cv2.resize(image, (96, 96))[..., ::-1]"),
        READS.replace("cv2.resize(image, (96, 96))", "np.flip(cv2.resize(image, (96, 96)), -1)"),
        READS.replace("np.array(images, ", "np.array(images)[:, :, :, ::-1].astype(").replace(
            'dtype="float32")', '"float32")'
        ),
        READS.replace("imread(path)", "imread(path, cv2.IMREAD_GRAYSCALE)"),
        READS.replace(READ, f"{READ}    b, g, r = cv2.split(image)\n").replace(
            "cv2.resize(image,", "cv2.resize(cv2.merge([r, g, b]),"
        ),
        # Only shown, never trained on.
        READS.replace(READ, "    image = np.asarray(tf.keras.utils.load_img(path))\n")
        + "tf.keras.utils.array_to_img(cv2.imread('one.jpg')).show()\n",
        # A helper that was not read may convert.
        READS.replace("import cv2\n", "import cv2\nfrom mine import prepare\n").replace(
            "cv2.resize(image, (96, 96))", "prepare(image)"
        ),
        # Random weights know no order of colours.
        READS.replace('pooling="avg", ', 'pooling="avg", weights=None, '),
        # Trained on blue, green, red, and nothing swaps the channels on the way.
        READS.replace("MobileNetV2(", "ResNet50(").replace(
            "tf.keras.applications.mobilenet_v2.preprocess_input(np.array(images, "
            'dtype="float32"))',
            'np.array(images, dtype="float32") - (104.0, 117.0, 124.0)',
        ),
    ],
)
def test_the_source_is_not_blamed_where_it_may_be_right(text: str) -> None:
    assert text != READS
    assert findings(CAUSE, text) == []


def test_resnet_behind_its_own_preprocessing_wants_rgb() -> None:
    text = READS.replace("MobileNetV2(", "ResNet50(").replace("mobilenet_v2", "resnet50")
    (finding,) = findings(CAUSE, text)
    assert finding.severity == "warning"
    turned = measured(0.70, 0.85, opening=door(CAFFE), expects=CAFFE, name="ResNet50")
    assert findings(CAUSE, text, turned)[0].severity == "error"


def test_every_path_is_converted_alike() -> None:
    text = READS.replace(
        "model.fit(x, np.array(labels), epochs=5)\n",
        "model.fit(x, np.array(labels), epochs=5)\n"
        "test = np.array([cv2.resize(cv2.imread(p), (96, 96)) for p in glob.glob('test/*')])\n"
        "model.predict(tf.keras.applications.mobilenet_v2.preprocess_input(test))\n",
    )
    assert cure(CAUSE, text) == text.replace(READ, READ + CONVERSION).replace(
        "cv2.imread(p)", "cv2.cvtColor(cv2.imread(p), cv2.COLOR_BGR2RGB)"
    )


def test_splitting_a_path_turns_no_channels() -> None:
    text = READS.replace("cv2.imread(path)", "cv2.imread(os.path.join(*path.split('/')))")
    (finding,) = findings(CAUSE, text)
    assert finding.severity == "warning"


def test_a_reader_in_a_function_is_followed() -> None:
    text = READS.replace(READ, "    image = load(path)\n").replace(
        "CLASSES =",
        "def load(path):\n    image = cv2.imread(path)\n    return image\n\n\nCLASSES =",
    )
    assert cure(CAUSE, text) == text.replace(
        "cv2.imread(path)\n", f"cv2.imread(path)\n{CONVERSION}"
    )
