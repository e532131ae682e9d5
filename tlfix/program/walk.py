"""Reading a script in the order it would run: calls, and what each name stands for.

Functions of the script are read where they are called, with the arguments given there; those that
nothing calls are read at the end, with their defaults.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from tlfix.program import assignment, calls, effects, expressions, functions, results, statements
from tlfix.program.arithmetic import carried, passes_on
from tlfix.program.meaning import either, made_by, options
from tlfix.program.model import Call, Site, TrainableChange
from tlfix.program.text import Text
from tlfix.program.values import (
    Attribute,
    Class,
    Fact,
    Function,
    Instance,
    Known,
    Made,
    Opaque,
    Returns,
    Scope,
    Value,
)

# Nesting of expressions beyond which they are not followed; Python's own stack ends at 1000.
_DEEPEST: Final = 100
# Functions within functions that are followed.
_FRAMES: Final = 6
# Expressions read inside functions before no function is read a second time (about 1 s).
_BUDGET: Final = 60_000

# What only people look at.
_PLOTS: Final = (
    "matplotlib.",
    "seaborn.",
    "plotly.",
    "IPython.display.",
    "tf.summary.image",
    "wandb.Image",
    "keras.utils.save_img",
    "keras.preprocessing.image.save_img",
)


class Walker:
    """The state of one reading; the modules that derive facts read it when it is finished."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.scope = Scope("")
        self.made: list[Made] = []
        self.visits: dict[int, list[Call]] = {}
        self.facts: list[Fact] = []
        self.outputs: list[tuple[Value, Site]] = []
        self.trainable: list[TrainableChange] = []
        self.history: list[tuple[str, Site]] = []
        self.imports: dict[str, str] = {}
        self.import_sites: list[tuple[str, Site]] = []
        self.flags: dict[str, Value] = {}
        self.keywords: dict[Site, Site] = {}
        self.stars: list[str] = []
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.instances: dict[int, Instance] = {}
        self.call_returns: list[tuple[Instance, Value]] = []
        self.targets: dict[int, tuple[str, ...]] = {}
        self.tests: list[str] = []
        self.returns: list[Returns] = [Returns()]
        self.yields: list[list[Value]] = []
        self.walked: set[int] = set()
        self.loops = 0
        self.display = 0
        self.owner: Site | None = None
        self.statement = 0
        self._last_statement = 0
        self._stack: list[ast.AST] = []
        self._depth = 0
        self._inlined = 0

    def evaluate(self, node: ast.expr) -> Value:
        """The value of an expression; what is nested too deep is not looked at."""
        if self._stack:
            self._inlined += 1
        if self._depth >= _DEEPEST:
            return Opaque()
        self._depth += 1
        try:
            return expressions.evaluate(self, node)
        finally:
            self._depth -= 1

    def run(self, body: list[ast.stmt]) -> bool:
        """Read statements in order; False if the last one leaves (``return``, ``raise`` …)."""
        if self._depth >= _DEEPEST:
            return True
        self._depth += 1
        try:
            for node in body:
                self._last_statement += 1
                self.statement = self._last_statement
                if not statements.run(self, node):
                    return False
            return True
        finally:
            self._depth -= 1

    def call(self, node: ast.Call, callee: Value, receiver: Value | None, name: str) -> Value:
        """Read a call's arguments, record it, and follow it into the script's own functions."""
        shows = name.startswith(_PLOTS) or name.endswith(("imshow", "imwrite", "imsave"))
        self.display += shows
        positional, keywords = calls.arguments(self, node)
        origin = made_by(receiver)
        text = None
        if isinstance(node.func, ast.Attribute):
            text = self.text.source(node.func.value)
        elif receiver is not None:
            text = self.text.source(node.func)
        call = Call(
            name,
            self.text.site(node),
            tuple(argument for argument, _ in positional),
            tuple(argument for argument, _ in keywords.values()),
            origin.call if origin is not None else None,
            text,
            self.targets.get(id(node), ()),
            self.scope.name,
            len(self.made),
            self.loops > 0,
        )
        self.visits.setdefault(id(node), []).append(call)
        made = Made(
            call,
            calls.result_kind(name),
            callee,
            receiver,
            tuple(value for _, value in positional),
            {keyword: value for keyword, (_, value) in keywords.items()},
            display=self.display > 0,
            owner=self.owner,
        )
        self.made.append(made)
        result = self._result(node, made)
        self.display -= shows
        return result

    def _result(self, node: ast.Call, made: Made) -> Value:
        followed: list[Value] = []
        for option in options(made.callee):
            if isinstance(option, Function):
                followed.append(functions.follow(self, option, made))
            elif isinstance(option, Class):
                followed.append(functions.instantiate(self, option, made))
            elif isinstance(option, Instance):
                functions.forward(self, option, made)
                followed.append(made)
        if followed:
            return either(*followed)
        for value in (*made.arguments, *made.keywords.values(), made.receiver):
            if self.display and self.facts:
                for fact in carried(value):
                    fact.shown = True
            elif not passes_on(made.call.name):
                self.sink(value)
        effects.apply(self, made)
        return results.returned(self, node, made)

    def invoke(
        self,
        function: Function,
        arguments: Sequence[Value] = (),
        keywords: Mapping[str, Value] | None = None,
        owner: Site | None = None,
    ) -> Value:
        """What a function of the script returns; ``owner`` is the pipeline stage it is part of."""
        node = function.node
        if (
            any(node is outer for outer in self._stack)
            or len(self._stack) >= _FRAMES
            or (self._inlined > _BUDGET and id(node) in self.walked)
            or self._depth > _DEEPEST // 2
        ):
            return Opaque()
        self.walked.add(id(node))
        scope = functions.bind(self, function, arguments, keywords or {})
        saved = self.scope, self.statement, self.tests, self.owner
        self.scope, self.tests, self.owner = scope, [], self.owner or owner
        self._stack.append(node)
        try:
            if isinstance(node, ast.Lambda):
                return self.evaluate(node.body)
            self.returns.append(Returns())
            self.run(node.body)
            returned = self.returns.pop().values
            return either(*returned) if returned else Known(None)
        finally:
            self._stack.pop()
            self.scope, self.statement, self.tests, self.owner = saved

    def sink(self, value: Value | None) -> None:
        """Scaled pixels leave the reading's sight here, towards something that is no plot."""
        if self.facts:
            for fact in carried(value):
                fact.used = True

    def access(self, value: Value, base: Value, node: ast.Attribute) -> None:
        """Note that ``base.output`` was read."""
        if node.attr in {"output", "outputs"} and isinstance(value, Attribute):
            self.outputs.append((base, self.text.site(node)))

    def subscript(self, base: Value, key: object, node: ast.Subscript) -> None:
        """Note that ``history.history["acc"]`` was read."""
        if isinstance(key, str) and isinstance(base, Attribute) and base.name == "history":
            self.history.append((key, self.text.site(node.slice)))

    def bind_loop(self, target: ast.expr, iterable: ast.expr) -> None:
        """Bind the variables of a comprehension."""
        assignment.loop(self, target, iterable, None)

    def pass_targets(self, node: ast.expr, *inner: ast.expr) -> None:
        """What ``node`` is assigned to, its alternatives are assigned to."""
        for each in inner:
            if id(node) in self.targets:
                self.targets[id(each)] = self.targets[id(node)]

    @contextmanager
    def inner_scope(self) -> Iterator[None]:
        """A scope for the names of a comprehension."""
        outer = self.scope
        self.scope = Scope(outer.name, outer, globals=outer.globals)
        try:
            yield
        finally:
            self.scope = outer
