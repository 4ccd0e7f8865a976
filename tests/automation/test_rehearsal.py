"""A rehearsed conversation: the engine's own decisions, carried from turn to turn, and what is told of them."""

from __future__ import annotations

from dataclasses import replace

from support.automation_room import NOW_MS, Chat, maria, rules

from whatsself_tui.automation.decision import ContactState, HandOver, Incoming
from whatsself_tui.automation.rehearsal import NEWCOMER, Told, Turn, dice, told, turn
from whatsself_tui.automation.rulebook import RuleBook

SHOP = """
[[template]]
name = "oi"
text = "Oi!"
variants = ["Olá!", "Opa!"]
[[template]]
name = "nome"
text = "Qual é o seu nome?"
[[template]]
name = "anotado"
text = "Anotado, {{cliente}}."
[[trigger]]
name = "oi"
equals = "oi"
template = "oi"
cooldown_s = 60
[[trigger]]
name = "pedido"
contains = "pedido"
flow = "pedido"
[[flow]]
name = "pedido"
[[flow.step]]
name = "nome"
ask = "nome"
save = "cliente"
timeout_min = 10
[[flow.step]]
name = "fim"
handover = "anotado"
"""


def play(book: RuleBook, state: ContactState, *texts: str, pause_ms: int = 61_000) -> list[Turn]:
    """Each text is a turn."""
    turns: list[Turn] = []
    for number, text in enumerate(texts):
        at_ms = NOW_MS + number * pause_ms
        turns.append(turn(book, state, [Incoming(text, ("text",), at_ms)], at_ms, dice("s", number)))
        state = turns[-1].state
    return turns


def kinds(each: Told) -> list[str]:
    return [change.kind for change in each.changes]


def test_the_turns_decide_as_the_engine_does() -> None:
    book = rules(SHOP)
    texts = ["oi", "oi", "um pedido", "Ana", "e aí?", "sair", "oi", "voltar", "oi"]
    turns = play(book, maria(), *texts)
    chat = Chat(book, maria())
    for number, (text, played) in enumerate(zip(texts, turns, strict=True)):
        chat.randomness = dice("s", number)
        chat.write(text)
        assert played.decision == chat.last, text
        assert played.state == chat.state
        chat.wait(minutes=61 / 60)


def test_several_messages_are_one_turn_and_a_keyword_among_them_is_its_own_decision() -> None:
    messages = [Incoming(text, ("text",), NOW_MS) for text in ("um", "sair", "pedido")]
    played = turn(rules(SHOP), maria(), messages, NOW_MS, 0)
    assert [each.rule for each in told(rules(SHOP), played)] == ["opt_out", "opted_out"]
    assert [each.texts for each in told(rules(SHOP), played)] == [("sair",), ("um", "pedido")]
    assert played.state.opted_out


def test_an_overdue_flow_has_ended_before_the_message_is_looked_at() -> None:
    book = rules(SHOP)
    started, late = play(book, maria(), "pedido", "Ana", pause_ms=11 * 60_000)
    assert started.state.flow is not None
    expired, unmatched = told(book, late)
    assert (expired.rule, expired.texts, kinds(expired)) == ("expired", (), ["left_flow"])
    assert (unmatched.rule, unmatched.texts) == ("unmatched", ("Ana",))
    assert late.state.flow is None


def test_what_is_different_afterwards_is_told() -> None:
    book = rules(SHOP, welcome="Bem-vinda!")
    first, second, third, fourth = (told(book, played)[-1] for played in play(book, NEWCOMER, "oi", "pedido", "A", "x"))
    assert kinds(first) == ["welcomed", "cooldown"]
    assert [answer.source for answer in first.answers] == ["welcome", "trigger:oi"]
    assert first.changes[1].until_ms == NOW_MS + 60_000
    (flow,) = second.changes
    assert (flow.kind, dict(flow.values)) == ("flow", {})
    assert flow.until_ms == NOW_MS + 61_000 + 600_000
    assert kinds(third) == ["left_flow", "hand_over"]
    assert third.alerts
    assert fourth.rule == "handed_over"
    assert fourth.considered[-1].rule == "opted_out"


def test_what_a_flow_collects_is_told_with_its_values() -> None:
    book = rules(SHOP.replace('name = "fim"\nhandover = "anotado"', 'name = "b"\nask = "anotado"\nnext = "b"'))
    _, second = play(book, maria(), "pedido", "Ana\x1b[2J")
    (change,) = told(book, second)[-1].changes
    assert dict(change.values) == {"cliente": "Ana\x1b[2J"}
    assert "Ana" not in change.text


def test_a_hand_over_tells_until_when() -> None:
    state = maria(hand_over=HandOver("somebody typed", NOW_MS + 1))
    waiting, over = play(rules(SHOP), state, "oi", "oi")
    assert (waiting.decision.rule, over.decision.rule) == ("handed_over", "trigger")


def test_the_same_seed_gives_the_same_variants_and_another_seed_others() -> None:
    book = rules(SHOP)

    def said(seed: str) -> list[str]:
        turns = [turn(book, maria(), [Incoming("oi", ("text",), NOW_MS)], NOW_MS, dice(seed, n)) for n in range(20)]
        return [played.decision.answers[0].text for played in turns]

    assert said("a") == said("a")
    assert said("a") != said("b")
    assert set(said("a")) == {"Oi!", "Olá!", "Opa!"}


def test_the_given_state_is_left_as_it_was() -> None:
    state = replace(maria(), unmatched=1)
    play(rules(SHOP), state, "???", "oi")
    assert state == replace(maria(), unmatched=1)
