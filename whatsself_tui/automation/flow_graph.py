"""The ways through the flows: what nothing reaches, what never waits, which answers are known where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from whatsself_tui.automation.flow_reading import ReadFlow
from whatsself_tui.automation.flows import MAX_AUTOMATIC_STEPS
from whatsself_tui.automation.model import Step
from whatsself_tui.automation.reading import Finding

Node = tuple[str, str]
"""Names of a flow and of a step in it."""


def check_ways(flows: Mapping[str, ReadFlow]) -> Iterator[Finding]:
    """Unreachable steps, cycles of automatic steps, and too many of them in a row; in sound flows only."""
    for read in flows.values():
        if read.sound:
            reached = _reached(read)
            for step in read.flow.steps:
                if step.name not in reached:
                    message = "no step leads here; name it in next, answers or give_up of another, or remove it"
                    yield Finding(read.step_paths[step.name], message)
    yield from _check_automatic(flows)


def known_values(flows: Mapping[str, ReadFlow]) -> dict[str, frozenset[str]]:
    """Flow → the names that may be filled in it: its own, and those of flows that jump to it."""
    known = {name: read.saves for name, read in flows.items()}
    waiting = list(flows)
    while waiting:
        source = waiting.pop()
        for step in flows[source].flow.steps:
            if step.jump in flows and not known[source] <= known[step.jump]:
                known[step.jump] |= known[source]
                waiting.append(step.jump)
    return known


def _reached(read: ReadFlow) -> set[str]:
    """Names of the steps that can be reached from the first."""
    reached: set[str] = set()
    waiting = [read.flow.steps[0].name]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            step = read.flow.by_name[name]
            waiting += [target for target in (step.next, step.give_up, *dict(step.answers).values()) if target]
    return reached


def _check_automatic(flows: Mapping[str, ReadFlow]) -> Iterator[Finding]:
    """An automatic step has one successor at most, so each chain of them is walked once."""
    lengths: dict[Node, int] = {}
    for read in flows.values():
        for step in read.flow.steps if read.sound else ():
            chain: list[Node] = []
            places: dict[Node, int] = {}
            node: Node | None = (read.flow.name, step.name)
            while node is not None and node not in lengths and node not in places:
                places[node] = len(chain)
                chain.append(node)
                node = _successor(flows, node)
            if node in places:
                cycle = chain[places[node] :]
                yield Finding(flows[cycle[0][0]].step_paths[cycle[0][1]], _round(cycle))
                lengths.update(dict.fromkeys(chain, 0))  # told once; what leads into it is not told again
                continue
            length = lengths.get(node, 0) if node else 0
            for each in reversed(chain):
                length += _is_automatic(flows, each)
                lengths[each] = length
                if length == MAX_AUTOMATIC_STEPS + 1:
                    yield Finding(
                        flows[each[0]].step_paths[each[1]],
                        f"more than {MAX_AUTOMATIC_STEPS} steps follow from here without an ask",
                    )


def _successor(flows: Mapping[str, ReadFlow], node: Node) -> Node | None:
    """The step that follows without an answer of the contact."""
    read = flows[node[0]]
    step: Step = read.flow.by_name[node[1]]
    if step.kind == "send" and step.next:
        return node[0], step.next
    target = flows.get(step.jump)
    if step.kind == "jump" and target is not None and target.sound:
        return step.jump, target.flow.steps[0].name
    return None


def _is_automatic(flows: Mapping[str, ReadFlow], node: Node) -> bool:
    return flows[node[0]].flow.by_name[node[1]].kind != "ask"


def _round(cycle: list[Node]) -> str:
    names = [step if flow == cycle[0][0] else f"{flow}/{step}" for flow, step in cycle]
    more = "" if len(names) <= 6 else " → …"
    return f"{' → '.join(names[:6])}{more} → {names[0]} goes round for ever; put a step that asks between"
