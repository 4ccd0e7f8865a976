"""A trial in pictures: the conversation, and what the rules decided in its last turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from textual.content import Content

from whatsself_tui.automation.model import Catalogue
from whatsself_tui.automation.rehearsal import Change, Told
from whatsself_tui.console.prose import flowing, hanging, indented, paragraphs, section
from whatsself_tui.console.trial import Line, Trial
from whatsself_tui.console.words import RULES, day_of, day_words, time_of_day
from whatsself_tui.text import visible

#: Characters of one message that are shown; longer ones say how long they are.
_SHOWN = 2_000

#: Cells of a time of day with a blank before it.
_TIME = 9

_BULLET = Content.styled("• ", "$text-accent")


def conversation(trial: Trial, zone: ZoneInfo, width: int) -> list[Content]:
    """What the customer wrote at the left, what the robot answers at the right."""
    if not trial.lines:
        return [
            *paragraphs("Write below as a customer would.", width),
            *paragraphs("The rules in force answer. Nothing is stored, nothing is sent.", width, "$text-muted"),
            Content(""),
            *paragraphs("[image] and [audio] stand for a picture and a voice message.", width, "$text-muted"),
        ]
    shown: list[Content] = []
    for line in trial.lines:
        shown.extend(_said(line, zone, width))
    return shown


def _said(line: Line, zone: ZoneInfo, width: int) -> list[Content]:
    if line.who == "nobody":
        return [Content.styled(f"── {line.text} ", "$text-muted").pad_left(max(0, width - len(line.text) - 4))]
    room = max(8, width * 3 // 4)
    texts = paragraphs(line.text, room, limit=_SHOWN)
    if line.who == "customer":
        mark = Content.styled("▌", "$text-accent")
        first, *rest = (mark + text for text in texts)
        gap = width - first.cell_length - _TIME
        if gap >= 0:
            clock = Content.styled(f" {time_of_day(line.at_ms, zone)}", "$text-muted")
            first = first.pad_right(gap) + clock
        return [first, *rest]
    mark = Content.styled("▐", "$text-success")
    widest = max(text.cell_length for text in texts)
    return [(text.pad_right(widest - text.cell_length) + mark).pad_left(width - widest - 1) for text in texts]


def decisions(trial: Trial, zone: ZoneInfo, width: int) -> list[Content]:
    """The last turn: what decided and why, where the customer is now, what changed, and who did not decide."""
    if not trial.told or trial.configuration is None:
        return paragraphs("What the rules decide, and why, stands here.", width, "$text-muted")
    lines: list[Content] = []
    for decided in trial.told:
        lines.extend(_decided(decided, width))
    lines.extend(_place(trial, trial.configuration.catalogue, zone, width))
    for decided in trial.told:
        changes = [change for change in decided.changes if change.kind != "flow"]
        news = [part for change in changes for part in hanging(_BULLET, _words(change, trial.at_ms, zone), width)]
        lines.extend(section("Changed", news))
        lines.extend(section("Answers", _answers(decided, width)))
        lines.extend(section("Passed over", list(_passed(decided, width))))
    return lines


def _decided(decided: Told, width: int) -> Iterator[Content]:
    yield Content.styled(f"▸ {RULES.get(decided.rule, decided.rule)}", "bold $text-success")
    yield from indented(paragraphs(decided.explanation, width - 2), 2)
    for warning in (*decided.warnings, *decided.alerts):
        yield from hanging(Content.styled("▲ ", "bold $text-warning"), warning, width, "$text-warning")


def _place(trial: Trial, catalogue: Catalogue, zone: ZoneInfo, width: int) -> list[Content]:
    """Where in a flow the customer is, and what was answered so far."""
    position = trial.state.flow
    if position is None:
        return []
    flow = catalogue.flows.get(position.flow)
    steps = [step.name for step in flow.steps] if flow is not None else [position.step]
    here = [
        Content.styled(f"[{name}]", "bold $text-success")
        if name == position.step
        else Content.styled(name, "$text-muted")
        for name in (visible(step, limit=64) for step in steps)
    ]
    lines = Content(" ").join(here).wrap(max(4, width))
    until = _when(position.expires_at_ms, trial.at_ms, zone)
    lines.extend(paragraphs(f"waits until {until}", width, "$text-muted"))
    for name, value in position.values.items():
        lines.extend(hanging(Content.assemble((visible(name, limit=64), "bold"), " = "), value, width))
    return section(visible(f"In flow {position.flow}", limit=100), lines)


def _words(change: Change, now_ms: int, zone: ZoneInfo) -> str:
    return change.text if change.until_ms is None else f"{change.text}, until {_when(change.until_ms, now_ms, zone)}"


def _when(at_ms: int, now_ms: int, zone: ZoneInfo) -> str:
    """`14:03:22`, and the day if it is another one than that of `now_ms`."""
    clock = datetime.fromtimestamp(at_ms / 1000, zone).strftime("%H:%M:%S")
    day = day_of(at_ms, zone)
    return clock if day == day_of(now_ms, zone) else f"{day_words(day)} {clock}"


def _answers(decided: Told, width: int) -> Sequence[Content]:
    """Where each answer came from."""
    return [line for answer in decided.answers for line in hanging(_BULLET, answer.source, width)]


def _passed(decided: Told, width: int) -> Iterator[Content]:
    """The rules before the one that decided."""
    for passed in decided.considered:
        head = Content.styled(f"{RULES.get(passed.rule, passed.rule)}: ", "bold $text-muted")
        yield from flowing(head, passed.reason, width, "$text-muted")
