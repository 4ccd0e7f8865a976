"""The flow interpreter against a model that takes one step at a time and keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from support.automation_room import Chat, rules

from whatsself_tui.automation.folding import fold
from whatsself_tui.automation.model import Catalogue, Flow, Step, StepKind, Template, Trigger

FLOWS = ("f", "g")
WRITTEN = st.sampled_from(["1", "2", "Sim!", "77", "quatro", "", "x y"])


@st.composite
def steps(draw: st.DrawFn) -> tuple[Step, ...]:
    """Steps that lead anywhere: cycles and unreachable ones too, which a file may not have."""
    names = [f"s{at}" for at in range(draw(st.integers(1, 5)))]
    target, maybe = st.sampled_from(names), st.sampled_from(["", *names])
    return tuple(_step(draw, name, target, maybe) for name in names)


def _step(draw: st.DrawFn, name: str, target: st.SearchStrategy[str], maybe: st.SearchStrategy[str]) -> Step:
    kind: StepKind = draw(st.sampled_from(["send", "ask", "ask", "handover", "end", "jump"]))
    if kind == "jump":
        return Step(name, kind, jump=draw(st.sampled_from(FLOWS)))
    template = draw(st.sampled_from(["a", "b"]))
    if kind == "send":
        return Step(name, kind, template, next=draw(maybe))
    if kind != "ask":
        return Step(name, kind, draw(st.sampled_from(["", "a"])))
    return Step(
        name,
        kind,
        template,
        next=draw(maybe),
        answers=tuple((answer, draw(target)) for answer in draw(st.sets(st.sampled_from(["1", "sim", "x y"])))),
        save=draw(st.sampled_from(["", "v", "w"])),
        check=draw(st.sampled_from(["any", "number"])),
        invalid=draw(st.sampled_from(["", "b"])),
        tries=draw(st.integers(1, 3)),
        give_up=draw(maybe),
        timeout_min=draw(st.sampled_from([5, 60])),
    )


@dataclass
class Model:
    """A contact in the flows, as the documentation describes it."""

    flows: dict[str, tuple[Step, ...]]
    flow: str = ""
    step: str = ""
    values: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    minutes_left: float = 0
    handed_over: bool = False

    def write(self, text: str) -> list[str]:
        if self.handed_over:
            return []
        if not self.step:
            return self._begin() if fold(text) == "1" else []
        step = self._at()
        said = fold(text)
        chosen = [target for answer, target in step.answers if answer == said]
        right = bool(said) and (step.check == "any" or text.isdigit())
        if chosen or (step.next and right):
            if step.save:
                self.values = {**self.values, step.save: text}
            return self._enter(chosen[0] if chosen else step.next)
        self.tries += 1
        if self.tries < step.tries:
            self.minutes_left = step.timeout_min
            return [step.invalid or step.template]
        if step.give_up:
            return self._enter(step.give_up)
        self._leave()
        self.handed_over = True
        return ["handover"]

    def wait(self, minutes: float) -> None:
        self.minutes_left -= minutes
        if self.step and self.minutes_left <= 0:
            self._leave()

    def _begin(self) -> list[str]:
        self.flow, self.values = "f", {}
        return self._enter(self.flows["f"][0].name)

    def _at(self) -> Step:
        return next(step for step in self.flows[self.flow] if step.name == self.step)

    def _enter(self, name: str) -> list[str]:
        said: list[str] = []
        for _ in range(21):
            self.step, self.tries = name, 0
            step = self._at()
            said += [step.template] if step.template else []
            match step.kind:
                case "ask":
                    self.minutes_left = step.timeout_min
                    return said
                case "jump":
                    self.flow = step.jump
                    name = self.flows[self.flow][0].name
                case "send" if step.next:
                    name = step.next
                case _:
                    self._leave()
                    self.handed_over = step.kind == "handover"
                    return said
        self._leave()
        return said

    def _leave(self) -> None:
        self.flow, self.step = "", ""


@settings(max_examples=300, deadline=None)
@given(steps(), steps(), st.lists(st.tuples(WRITTEN, st.sampled_from([0, 1, 5, 30, 60])), max_size=12))
def test_the_interpreter_does_what_the_model_does(
    first: tuple[Step, ...], second: tuple[Step, ...], said: list[tuple[str, int]]
) -> None:
    flows = {"f": first, "g": second}
    catalogue = Catalogue(
        {"a": Template("a", "a"), "b": Template("b", "b")},
        (Trigger("t", "equals", ("1",), flow="f"),),
        {name: Flow(name, steps) for name, steps in flows.items()},
    )
    book = rules(catalogue)
    chat = Chat(rules(catalogue, answering=type(book.answering)(handover_after=0, handover_text="handover")))
    model = Model(flows)
    for text, minutes in said:
        assert chat.write(text) == model.write(text)
        assert chat.place == (f"{model.flow}/{model.step}" if model.step else "")
        if chat.state.flow is not None:
            assert chat.state.flow.values == model.values
            assert chat.state.flow.tries == model.tries
        assert (chat.state.hand_over is not None) == model.handed_over
        chat.wait(minutes=minutes)
        model.wait(minutes)
