"""Predictions in shuffled order are compared with labels in file order."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "evaluation-shuffled",
    (
        plant(
            "generators",
            "the validation generator shuffles",
            (
                '    class_mode="categorical",\n    shuffle=False,\n',
                '    class_mode="categorical",\n',
            ),
            at=(
                "val_generator = val_datagen",
                "predicted = np.argmax",
                "print(classification_report(",
            ),
        ),
        plant(
            "binary_parity",
            "a report on a generator that shuffles by default",
            (
                "model.fit(train, epochs=8, validation_data=validation)",
                "model.fit(train, epochs=8, validation_data=validation)\n\n"
                "predicted = (model.predict(validation) > 0.5).astype(int).ravel()\n"
                "print(confusion_matrix(validation.classes, predicted))",
            ),
            (
                "from tensorflow.keras import layers, models, optimizers",
                "from sklearn.metrics import confusion_matrix\n"
                "from tensorflow.keras import layers, models, optimizers",
            ),
            at="validation = datagen.flow",
        ),
    ),
)
