"""Breadth first over the states of one scenario: each once, and the first violation by the shortest path."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulation.broken import Broken
from simulation.exhaustive import actions
from simulation.exhaustive.check import check_convergence, check_state
from simulation.exhaustive.state import fingerprint
from simulation.exhaustive.world import Saved, World

if TYPE_CHECKING:
    from simulation.database import Database
    from simulation.exhaustive.scenarios import Scenario
    from simulation.exhaustive.step import Action, Bound


@dataclass(frozen=True)
class Node:
    """A state: the last saved one before it, and the steps since then."""

    base: Saved
    since: tuple[Action, ...]
    path: tuple[str, ...]
    bound: Bound


@dataclass(frozen=True)
class Violation:
    """A promise that does not hold, and the shortest path to where it does not."""

    promise: str
    what: str
    path: tuple[str, ...]


@dataclass
class Explored:
    """What an exploration saw. `complete` is the depth up to which every path within the bound was taken."""

    scenario: str
    states: int = 0
    steps: int = 0
    complete: int = 0
    seconds: float = 0.0
    ended: str = ""
    violations: list[Violation] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


class Search:
    """One exploration. Ends at the depth, at the time, at the first violation or when there is nothing new."""

    def __init__(self, scenario: Scenario, database: Database, *, depth: int, seconds: float) -> None:
        self.scenario = scenario
        self.world = World(database, scenario.system)
        self.depth = depth
        self.until = time.monotonic() + seconds
        self.seen: set[bytes] = set()
        self.converging: set[bytes] = set()
        self.queue: deque[Node] = deque()
        self.explored = Explored(f"{scenario.name} at {scenario.system}")

    def run(self) -> Explored:
        """Explore."""
        begun = time.monotonic()
        self.explored.ended = self._run()
        self.world.stop()
        self.explored.seconds = time.monotonic() - begun
        return self.explored

    def _run(self) -> str:
        self.scenario.begin(self.world)
        first = Node(self.world.save(), (), (), self.scenario.bound)
        if not self._visit(first):
            return "a promise is broken"
        while self.queue:
            node = self.queue.popleft()
            if len(node.path) >= self.depth:
                return "the depth was reached"
            self.explored.complete = len(node.path)
            for action in self._actions(node):
                if time.monotonic() > self.until:
                    return "the time was up"
                left = node.bound.less(action.kind)
                if left is not None and not self._step(node, action, left):
                    return "a promise is broken"
        self.explored.complete += 1
        return "there is nothing new"

    def _actions(self, node: Node) -> list[Action]:
        self._go_to(node)
        return list(actions.enabled(self.world, self.world.rows()))

    def _go_to(self, node: Node) -> None:
        self.world.restore(node.base)
        for action in node.since:
            action.do(self.world)

    def _step(self, node: Node, action: Action, bound: Bound) -> bool:
        self._go_to(node)
        path = (*node.path, action.name)
        self.explored.steps += 1
        self.explored.kinds[action.name.split(":")[-1].split(" record")[0].split(" client")[0].strip()] += 1
        try:
            action.do(self.world)
        except Broken as broken:
            return self._broken(broken, path)
        if self.world.flows:
            return self._visit(Node(node.base, (*node.since, action), path, bound))
        return self._visit(Node(self.world.save(), (), path, bound))

    def _visit(self, node: Node) -> bool:
        """Judge the state that the world is in, which this node leads to. False: a promise is broken."""
        rows = self.world.rows()
        try:
            check_state(self.world, rows)
        except Broken as broken:
            return self._broken(broken, node.path)
        here = fingerprint(self.world, rows, node.bound)
        if here in self.seen:
            return True
        self.seen.add(here)
        self.explored.states += 1
        self.queue.append(node)
        try:
            check_convergence(self.world, self.converging)
        except Broken as broken:
            return self._broken(broken, node.path)
        return True

    def _broken(self, broken: Broken, path: tuple[str, ...]) -> bool:
        self.explored.violations.append(Violation(broken.promise, str(broken), path))
        return False
