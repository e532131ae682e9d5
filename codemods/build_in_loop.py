"""Build a model inside the loop that trains it, so that every round starts from fresh weights."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import find
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.tree import Tree, dotted

_LOADERS = ("load_model", "clone_model")


class Codemod(VisitorBasedCodemodCommand):
    """Moves ``model = build()``, and the ``compile`` behind it, to the top of a loop's body.

    ``fit`` is where a ``fit`` call inside the loop starts; the loop is the outermost around it in
    its function, or the one that starts at ``loop``.
    """

    DESCRIPTION = "Build a model inside the loop that trains it."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(
        self, context: CodemodContext, fit: Position, loop: Position | None = None
    ) -> None:
        super().__init__(context)
        self.fit = fit
        self.at = loop
        self.moved: list[cst.SimpleStatementLine] = []
        self.loop: cst.For | None = None
        self.heir: cst.CSTNode | None = None

    def visit_Module(self, node: cst.Module) -> None:
        """Find the statements to move, or decline before anything is changed."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        call = tree.call_at(self.fit, "fit", "fit_generator")
        assert isinstance(call.func, cst.Attribute)
        model = dotted(call.func.value)
        if model is None or "." in model:
            raise Declined("no plain variable holds the model that is fitted")
        self.loop = _loop(tree, call, self.at)
        if not isinstance(self.loop.body, cst.IndentedBlock):
            raise Declined(f"the loop at line {tree.line(self.loop)} is written on one line")
        self.moved = _building(tree, self.loop, model)
        _check(tree, self.loop, self.moved, model)
        after = list(tree.parents[self.loop].children)
        rest = [n for n in after[after.index(self.moved[0]) :] if n not in self.moved]
        self.heir = next(n for n in rest if isinstance(n, cst.BaseStatement))

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Take the statements from where they stood, and put them on top of the loop's body."""
        if any(original_node is statement for statement in self.moved):
            return cst.RemoveFromParent()
        left = super().on_leave(original_node, updated_node)
        if original_node is self.heir and isinstance(left, cst.SimpleStatementLine | cst.For):
            # The blank lines above what was moved stay where they are.
            blank = [line for line in self.moved[0].leading_lines if not line.comment]
            own = [line for line in left.leading_lines if not line.comment]
            if len(own) < len(blank):
                left = left.with_changes(leading_lines=[*blank[len(own) :], *left.leading_lines])
        if original_node is self.loop and isinstance(left, cst.For):
            block = left.body
            assert isinstance(block, cst.IndentedBlock)
            moved = [
                line.with_changes(leading_lines=[x for x in line.leading_lines if x.comment])
                for line in self.moved
            ]
            left = left.with_changes(body=block.with_changes(body=[*moved, *block.body]))
        return left


def _loop(tree: Tree, call: cst.Call, at: Position | None) -> cst.For:
    function = tree.function(call)
    loops = [
        a for a in tree.ancestors(call) if isinstance(a, cst.For) and tree.function(a) is function
    ]
    if at is not None:
        loops = [loop for loop in loops if tree.start(loop) == at]
    if not loops:
        raise Declined("fit does not stand in a for loop")
    return loops[-1]


def _building(tree: Tree, loop: cst.For, model: str) -> list[cst.SimpleStatementLine]:
    """``model = build()`` and what compiles it, in the block of the loop and before it."""
    block = tree.parents[loop]
    if not isinstance(block, cst.Module | cst.IndentedBlock):
        raise Declined("the loop does not stand in a block of its own")
    before = list(block.body)[: list(block.body).index(loop)]
    about = [s for s in before if _mentions(tree, s, model)]
    if not about:
        raise Declined(f"`{model}` is not built in the block that holds the loop")
    first, *others = about
    if not isinstance(first, cst.SimpleStatementLine) or len(first.body) != 1:
        raise Declined(f"line {tree.line(first)} does more than build `{model}`")
    _check_builder(tree, first, model)
    moved = [first]
    for statement in others:
        if not _compiles(statement, model):
            raise Declined(
                f"line {tree.line(statement)} uses `{model}` between its making and the loop"
            )
        assert isinstance(statement, cst.SimpleStatementLine)
        _check_optimizer(tree, statement)
        moved.append(statement)
    if len(others) > 1:
        raise Declined(f"`{model}` is compiled more than once before the loop")
    return moved


def _check_builder(tree: Tree, statement: cst.SimpleStatementLine, model: str) -> None:
    """The statement must make all of the model anew whenever it runs."""
    assign = statement.body[0]
    if not (
        isinstance(assign, cst.Assign)
        and len(assign.targets) == 1
        and dotted(assign.targets[0].target) == model
        and isinstance(assign.value, cst.Call)
    ):
        raise Declined(f"line {tree.line(statement)} does more than build `{model}`")
    name = dotted(assign.value.func) or ""
    if name.rsplit(".", 1)[-1] == "load_model":
        return
    built = [n for n in tree.nodes() if isinstance(n, cst.FunctionDef) and n.name.value == name]
    if len(built) != 1 or tree.function(built[0]) is not None:
        raise Declined(
            f"`{model}` is not made by one call of a function in this file: put what builds it in "
            "a function first"
        )
    local = {p.name.value for p in _parameters(built[0])}
    for used in _names(built[0].body):
        for binding in tree.bindings(used):
            outside = tree.function(binding) is None and used not in local
            if outside and _is_model(tree.parents[binding]):
                raise Declined(f"`{name}` builds on `{used}`, which is made once for all rounds")


def _parameters(function: cst.FunctionDef) -> list[cst.Param]:
    params = function.params
    return [*params.posonly_params, *params.params, *params.kwonly_params]


def _is_model(assign: cst.CSTNode) -> bool:
    """True for ``x = Something(...)``: an object with a state that the rounds would share."""
    if not isinstance(assign, cst.Assign) or not isinstance(assign.value, cst.Call):
        return False
    last = (dotted(assign.value.func) or "()").rsplit(".", 1)[-1]
    return last[:1].isupper() or last in _LOADERS or last == "()"


def _compiles(statement: cst.CSTNode, model: str) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and len(statement.body) == 1
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, cst.Call)
        and dotted(statement.body[0].value.func) == f"{model}.compile"
    )


def _check_optimizer(tree: Tree, statement: cst.SimpleStatementLine) -> None:
    """An optimizer object belongs to the model it was first compiled with."""
    expression = statement.body[0]
    assert isinstance(expression, cst.Expr) and isinstance(expression.value, cst.Call)
    place = find(expression.value, "optimizer", 0)
    if place is None:
        return
    optimizer = expression.value.args[place].value
    if not isinstance(optimizer, cst.SimpleString | cst.Call):
        raise Declined(
            f"`{tree.code(optimizer)}` is one optimizer for all rounds: make it inside the loop too"
        )


def _check(tree: Tree, loop: cst.For, moved: list[cst.SimpleStatementLine], model: str) -> None:
    """What is moved must mean the same inside the loop, and be fresh there."""
    if any(tree.within(binding, loop) for binding in tree.bindings(model)):
        raise Declined(f"`{model}` is bound inside the loop already")
    for name in {n for statement in moved for n in _names(statement)} - {model}:
        for binding in tree.bindings(name):
            if binding is loop or tree.within(binding, loop):
                raise Declined(f"`{name}`, which builds the model, changes inside the loop")


def _mentions(tree: Tree, statement: cst.CSTNode, name: str) -> bool:
    """True if the statement uses the variable; a function with a local of that name does not."""
    if isinstance(statement, cst.FunctionDef | cst.ClassDef):
        return False
    return any(isinstance(n, cst.Name) and n.value == name for n in tree.nodes(statement))


def _names(node: cst.CSTNode) -> set[str]:
    """The names that ``node`` reads or binds, attributes and keywords left out."""
    found: set[str] = set()
    pending: list[cst.CSTNode] = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, cst.Name):
            found.add(one.value)
        elif isinstance(one, cst.Attribute | cst.Arg):
            pending.append(one.value)
        else:
            pending.extend(one.children)
    return found
