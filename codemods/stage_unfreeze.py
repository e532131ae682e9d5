"""Turn one training into two stages: the head on a frozen backbone, then the backbone's top.

The recipe is that of https://keras.io/guides/transfer_learning/: BatchNormalization stays frozen
(it then runs in inference mode), and the second stage is compiled anew at a low rate. The guide's
other way, ``training=False`` where the backbone is called, does not hold under Keras 3.0 to 3.15:
in functional models ``fit`` overrides it (https://github.com/keras-team/keras/pull/23364).
"""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import find, with_argument
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.freezing import backbone_variable, freeze, layer_variable
from tlfix.codemods.keras_names import spell
from tlfix.codemods.optimizers import fresh_optimizer
from tlfix.codemods.tree import Edits, Tree, dotted, statements

_STAGE_TWO = """
# Stage two: fine-tune the top of the backbone. BatchNormalization stays
# frozen: it then runs in inference mode and keeps its pretrained statistics.
{base}.trainable = True
for {layer} in {base}.layers:
    {layer}.trainable = not isinstance({layer}, {batchnorm})
for {layer} in {base}.layers[: int({kept} * len({base}.layers))]:
    {layer}.trainable = False
"""


class Codemod(VisitorBasedCodemodCommand):
    """Freezes the backbone for the program's own fit, then adds a second compile and fit.

    ``backbone`` and ``fit`` are where these calls start. ``rate`` is the second stage's learning
    rate; ``share`` (0..1) the part of the backbone's layers, from its output, that it trains.
    """

    DESCRIPTION = "Train the head first, then fine-tune the top of the backbone at a low rate."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(
        self,
        context: CodemodContext,
        backbone: Position,
        fit: Position,
        rate: float = 1e-5,
        share: float = 0.3,
    ) -> None:
        super().__init__(context)
        self.backbone = backbone
        self.fit = fit
        self.rate = rate
        self.share = share
        self.edits = Edits()

    def visit_Module(self, node: cst.Module) -> None:
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        made, variable = backbone_variable(tree, tree.call_at(self.backbone))
        fit = tree.call_at(self.fit, "fit", "fit_generator")
        compile_call = _compile_of(tree, fit)
        _check_reach(tree, made, variable, fit)
        freeze(tree, made, variable, tree.start(fit), self.edits)
        statement = tree.statement(fit)
        stage_two = statements(
            _STAGE_TWO.format(
                base=variable,
                layer=layer_variable(tree),
                kept=f"{1 - self.share:.2g}",
                batchnorm=spell(tree, "layers.BatchNormalization", self.edits, statement),
            )
        )
        optimizer = fresh_optimizer(tree, compile_call, self.rate, self.edits)
        again = with_argument(compile_call, "optimizer", 0, optimizer)
        compiled = cst.SimpleStatementLine([cst.Expr(again.deep_clone())])
        self.edits.insert_after(statement, *stage_two, compiled, _second(tree, statement, fit))

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))


def _compile_of(tree: Tree, fit: cst.Call) -> cst.Call:
    """The ``compile`` in force at ``fit``, in the same function."""
    assert isinstance(fit.func, cst.Attribute)
    model = tree.code(fit.func.value)
    if dotted(fit.func.value) is None:
        raise Declined("no variable holds the model that is fitted")
    if tree.loop(fit) is not None:
        raise Declined("fit stands in a loop")
    fits = [c for c in tree.calls("fit", "fit_generator") if _receiver(tree, c) == model]
    if len(fits) > 1:
        raise Declined(f"`{model}` is fitted {len(fits)} times: the program has stages already")
    if any(isinstance(n, cst.Name) and n.value == "LearningRateScheduler" for n in tree.nodes()):
        raise Declined("a LearningRateScheduler would override the rate of the second stage")
    compiles = [
        call
        for call in tree.calls("compile")
        if _receiver(tree, call) == model
        and tree.function(call) is tree.function(fit)
        and tree.start(call) < tree.start(fit)
    ]
    if not compiles:
        raise Declined(f"`{model}.compile` does not stand in the same function as its fit")
    chosen = compiles[-1]
    for around in tree.ancestors(chosen):
        if isinstance(around, cst.With | cst.If | cst.Try) and not tree.within(fit, around):
            kind = type(around).__name__.lower()
            raise Declined(f"the model is compiled in a `{kind}` block that ends before fit")
    return chosen


def _receiver(tree: Tree, call: cst.Call) -> str:
    assert isinstance(call.func, cst.Attribute)
    return tree.code(call.func.value)


def _check_reach(tree: Tree, made: cst.SimpleStatementLine, variable: str, fit: cst.Call) -> None:
    """Make sure that ``variable`` still is the backbone where ``fit`` stands."""
    if tree.function(made) not in (tree.function(fit), None):
        raise Declined(f"`{variable}` is not visible where the model is fitted")
    if tree.start(made) > tree.start(fit):
        raise Declined("the backbone is built after fit")
    for binding in tree.bindings(variable):
        if tree.within(binding, made) or tree.function(binding) not in (
            tree.function(made),
            tree.function(fit),
        ):
            continue
        raise Declined(f"`{variable}` is bound to something else at line {tree.line(binding)}")


def _second(tree: Tree, statement: cst.SimpleStatementLine, fit: cst.Call) -> cst.BaseStatement:
    """The fit statement once more, its epochs counted on and its result kept under another name."""
    small = statement.body[0]
    again = small.deep_replace(fit, _continued(tree, fit))
    if isinstance(again, cst.Assign) and len(again.targets) == 1:
        name = dotted(again.targets[0].target)
        if name is None or "." in name:
            raise Declined("what fit returns is not kept in a plain variable")
        target = again.targets[0].with_changes(target=cst.Name(tree.free(f"{name}_fine_tune")))
        again = again.with_changes(targets=[target])
    elif not (isinstance(small, cst.Expr) and small.value is fit):
        raise Declined("fit is part of a larger statement")
    assert isinstance(again, cst.BaseSmallStatement)
    return cst.SimpleStatementLine([again.deep_clone()])


def _continued(tree: Tree, fit: cst.Call) -> cst.Call:
    """``fit`` with as many epochs more, counted on from the first stage's last."""
    place = find(fit, "epochs", None)
    if place is None or find(fit, "initial_epoch", None) is not None:
        return fit
    epochs = fit.args[place].value
    if isinstance(epochs, cst.Integer):
        total = str(2 * epochs.evaluated_value)
    elif dotted(epochs) is not None:
        total = f"2 * {tree.code(epochs)}"
    else:
        return fit
    changed = with_argument(fit, "epochs", None, cst.parse_expression(total))
    return with_argument(changed, "initial_epoch", None, epochs)
