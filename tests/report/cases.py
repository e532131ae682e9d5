"""A diagnosis and a repair with one of everything, for the reports' golden files."""

from __future__ import annotations

from tlfix.findings import (
    Cause,
    CheckedFile,
    CheckResult,
    Commit,
    Diagnosis,
    EnvironmentSeen,
    Evidence,
    Fix,
    Location,
    Measurement,
    ProbeSummary,
    Reference,
    Rejected,
    Repair,
    Script,
    Symptom,
    Verification,
)

SOURCE = """\
import tensorflow as tf

base = tf.keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3))
datagen = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1.0 / 255)
model.compile(optimizer="adam", loss="categorical_crossentropy")
"""

DIFF = """\
--- a/train[1].py
+++ b/train[1].py
@@ -4 +4,2 @@
-datagen = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1.0 / 255)
+preprocess = tf.keras.applications.mobilenet_v2.preprocess_input
+datagen = tf.keras.preprocessing.image.ImageDataGenerator(preprocessing_function=preprocess)
"""

MISMATCH = Cause(
    id="preprocessing-mismatch",
    code="TL102",
    rank=1,
    severity="error",
    confidence="certain",
    title="Images are scaled another way than the backbone expects",
    location=Location(path="train[1].py", line=4, column=59, end_line=4, end_column=76),
    evidence=(
        Evidence(
            source="static", summary="ImageDataGenerator divides by 255; MobileNetV2 wants [-1, 1]"
        ),
        Evidence(
            source="probe",
            summary="features under the right scaling classify more validation images correctly "
            "than features of the images as the script feeds them",
            measured=(
                Measurement(name="accuracy as fed", value=0.3716, n=256),
                Measurement(name="accuracy as expected", value=0.9102, n=256),
                Measurement(name="divergence at the first BatchNorm", value=24382.4, threshold=1.0),
            ),
        ),
    ),
    explains=("chance-validation",),
    fix=Fix(
        codemod="use_preprocess_input",
        summary="use mobilenet_v2.preprocess_input in both pipelines",
        diff=DIFF,
        review="cursory",
    ),
)

RATE = Cause(
    id="learning-rate-low",
    code="TL502",
    rank=2,
    severity="warning",
    confidence="possible",
    title="The learning rate is too low",
    location=None,
    evidence=(
        Evidence(
            source="probe",
            summary="a hundred times the rate learns faster",
            measured=(Measurement(name="rate", value=1e-06, threshold=0.0001, unit="per step"),),
        ),
    ),
    advice="The rate comes from a configuration file that was not read; raise it to 0.0001 there.",
)

SICK = Diagnosis(
    verdict="sick",
    script=Script(path="train[1].py", sha256="0" * 64),
    environment=EnvironmentSeen(
        python="3.11.7",
        keras="3.15.1",
        backend="tensorflow",
        tensorflow="2.21.0",
        device="CPU",
    ),
    probe=ProbeSummary(status="completed", fits=2, steps=150, seconds=41.26, seed=0),
    reference=Reference(accuracy=0.91015625, chance=0.171875, method="linear probe on 256 images"),
    symptoms=(
        Symptom(
            id="chance-validation",
            severity="error",
            summary="validation accuracy is 0.17, always naming the largest class gives 0.17",
            measured=(
                Measurement(name="validation accuracy", value=0.17, threshold=0.1719, n=256),
                Measurement(name="loss of the last steps, median over batches", value=1234567.8),
            ),
        ),
        Symptom(
            id="single-class-predictions",
            severity="warning",
            summary="nearly all predictions are one class",
            measured=(
                Measurement(name="entropy", value=0.00021, threshold=0.1, n=256, unit="nat"),
            ),
        ),
    ),
    causes=(MISMATCH, RATE),
    notes=("The second fit was cut at its share of the budget: 75 of 400 steps were seen.",),
)

VERIFIED = Repair(
    base="1f2e3d4c5b6a79880123456789abcdef01234567",
    branch="tlfix/train",
    commits=(
        Commit(
            sha="89abcdef0123456789abcdef0123456789abcdef",
            cause="preprocessing-mismatch",
            codemod="use_preprocess_input",
        ),
    ),
    rejected=(
        Rejected(
            cause="learning-rate-low",
            reason="accuracy does not change: -0.004 (95 % interval -0.020 to +0.012) over 3 seeds",
        ),
    ),
    verification=Verification(
        metric="validation_accuracy",
        before=(0.375, 0.3516, None),
        after=(0.9063, 0.8984, 0.9141),
        delta=0.539,
        ci95=(0.47, 0.61),
        decision="improved",
        seeds=(0, 1, 2),
    ),
    diff=DIFF,
)

CHECKED = CheckResult(
    files=(
        CheckedFile(path="train[1].py", causes=(MISMATCH, RATE)),
        CheckedFile(path="broken.py", skipped="not valid Python at line 3: invalid syntax"),
        CheckedFile(path="tidy.py"),
    ),
    seconds=0.123,
)
