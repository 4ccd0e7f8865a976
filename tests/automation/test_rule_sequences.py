"""Whatever a contact writes, and whatever happens in between, some things always hold."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from support.automation_room import ANSWERING, CONSENT, NOW_MS, ZONE, maria, rules

from whatsself_tui.automation.consent import is_keyword
from whatsself_tui.automation.decision import ContactState, Decision, Incoming
from whatsself_tui.automation.hours import OpeningHours, parse_hours
from whatsself_tui.automation.occasions import after, expire, human_typed
from whatsself_tui.automation.pending import answer_pending

TOML = """
[[template]]
name = "t"
variants = ["Oi, {{name}}", "Olá, {{name}}", "{{phone}}"]
[[template]]
name = "p"
text = "{{first_name}}?"
[[template]]
name = "r"
text = "{{resposta}}"
[[trigger]]
name = "oi"
contains = ["oi", "bom dia"]
template = "t"
cooldown_s = 30
[[trigger]]
name = "fluxo"
equals = "fluxo"
template = "t"
flow = "a"
[[trigger]]
name = "cep"
regex = '\\d{5}-?\\d{3}'
template = "t"
priority = 5
[[flow]]
name = "a"
[[flow.step]]
name = "um"
ask = "p"
save = "resposta"
check = "number"
tries = 2
answers = { "volta" = "um", "outro" = "salto", "gente" = "gente", "*" = "dois" }
timeout_min = 30
[[flow.step]]
name = "dois"
send = "r"
[[flow.step]]
name = "fim"
end = "t"
[[flow.step]]
name = "salto"
jump = "b"
[[flow.step]]
name = "gente"
handover = "t"
[[flow]]
name = "b"
[[flow.step]]
name = "um"
ask = "r"
timeout_min = 5
[[flow.step]]
name = "dois"
jump = "a"
"""
BOOK = rules(
    TOML,
    hours=OpeningHours(ZONE, parse_hours(["mon-fri 09:00-12:00 13:00-18:00"])),
    answering=replace(ANSWERING, handover_after=2),
    welcome="Bem-vindo!",
    away="Fechado.",
)
LONGEST_WAIT_MS = 30 * 60_000

TEXTS = st.one_of(
    st.sampled_from(
        ["oi", "PARAR", "parar!", "sair", "Voltar", "start", "fluxo", "volta", "outro", "gente", "12", "bom", "dia"]
    ),
    st.text(alphabet=st.characters(), max_size=8),
)
MESSAGES = st.builds(
    lambda text, kind, age: Incoming(text, (kind,), -age),
    TEXTS,
    st.sampled_from(["text", "text", "text", "image"]),
    st.sampled_from([0, 0, 0, 13 * 3_600_000]),
)
BATCHES = st.lists(MESSAGES, min_size=1, max_size=3)
EVENTS = st.lists(
    st.tuples(BATCHES, st.sampled_from([0, 1_000, 40_000, 600_000, 3_600_000, 50_000_000]), st.booleans()), max_size=12
)


@settings(max_examples=300, deadline=None)
@given(EVENTS, st.integers(0, 2**128), st.text(max_size=5))
def test_consent_is_never_violated_and_every_message_is_decided_once(
    events: list[tuple[list[Incoming], int, bool]], randomness: int, name: str
) -> None:
    state, now_ms = maria(name=name, welcomed=False), NOW_MS
    consented = True
    welcomes = 0
    for batch, pause_ms, human in events:
        now_ms += pause_ms
        if human and (decision := human_typed(BOOK, state, now_ms)):
            state = after(state, decision, now_ms)
        messages = [replace(message, written_at_ms=now_ms + message.written_at_ms) for message in batch]
        handled = answer_pending(BOOK, state, messages, now_ms, randomness)
        assert sorted(index for each in handled for index in each.messages) == list(range(len(messages)))
        for each in handled:
            said = [messages[index].text for index in each.messages]
            consented = _consented(consented, said)
            _check(each.decision, state, consented, now_ms)
            welcomes += sum(answer.source == "welcome" for answer in each.decision.answers)
            state = after(state, each.decision, now_ms)
            assert state.opted_out is not consented
    assert welcomes <= 1


def _consented(before: bool, said: list[str]) -> bool:
    """Consent after messages, by the keywords alone; several were joined only if none is a keyword."""
    text = "\n".join(part for part in said if part.strip())
    if is_keyword(text, CONSENT.opt_out):
        return False
    return before or is_keyword(text, CONSENT.opt_in)


def _check(decision: Decision, state: ContactState, consented: bool, now_ms: int) -> None:
    automatic = [answer for answer in decision.answers if not answer.source.startswith("consent:")]
    if not consented or decision.rule == "handed_over":
        assert automatic == []
    if not consented:
        assert decision.flow is None
    confirmations = [answer for answer in decision.answers if answer.source.startswith("consent:")]
    assert len(confirmations) == (0 if decision.consent is None or "older than" in decision.explanation else 1)
    assert decision.cancel_queued is (decision.consent == "out")
    assert all(answer.text.strip() and len(answer.text) <= 65_536 for answer in decision.answers)
    assert len({answer.source for answer in decision.answers if "flow" not in answer.source}) == len(
        [answer for answer in decision.answers if "flow" not in answer.source]
    )
    assert decision.explanation
    assert not (decision.flow and decision.flow_cleared)
    for template, index in decision.variants.items():
        assert index != state.last_variants.get(template)
    if decision.flow is not None:
        assert now_ms < decision.flow.expires_at_ms <= now_ms + LONGEST_WAIT_MS
        assert decision.flow.tries < 2


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.integers(0, 2**128))
def test_nobody_is_trapped_in_a_flow(events: list[tuple[list[Incoming], int, bool]], randomness: int) -> None:
    """Who stops writing is out in time; who writes nonsense is out after the last try; the keyword always helps."""
    state, now_ms = maria(), NOW_MS
    for batch, pause_ms, _ in events:
        now_ms += pause_ms
        for each in answer_pending(BOOK, state, batch, now_ms, randomness):
            state = after(state, each.decision, now_ms)
        _check_ways_out(state, now_ms)


def _check_ways_out(state: ContactState, now_ms: int) -> None:
    if state.flow is None:
        return
    late = now_ms + LONGEST_WAIT_MS
    expired = expire(state, late)
    assert expired is not None
    assert after(state, expired, late).flow is None
    (out,) = answer_pending(BOOK, state, [Incoming("SAIR", written_at_ms=now_ms)], now_ms, 0)
    assert after(state, out.decision, now_ms).flow is None
    if state.flow.flow == "a":
        for _ in range(2):
            (handled,) = answer_pending(BOOK, state, [Incoming("???", written_at_ms=now_ms)], now_ms, 0)
            state = after(state, handled.decision, now_ms)
        assert state.flow is None


@settings(max_examples=100, deadline=None)
@given(BATCHES, st.integers(0, 2**128), st.sampled_from(["", "Maria", "{{name}}"]))
def test_the_same_messages_are_decided_the_same(batch: list[Incoming], randomness: int, name: str) -> None:
    """After a crash the rules run again on what is still pending: nothing but their arguments counts."""
    state = maria(name=name)
    messages = [replace(message, written_at_ms=NOW_MS) for message in batch]
    first = answer_pending(BOOK, state, messages, NOW_MS, randomness)
    assert answer_pending(BOOK, state, messages, NOW_MS, randomness) == first
