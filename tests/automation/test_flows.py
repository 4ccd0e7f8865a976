"""Flows: what each step does, what an answer leads to, and how a flow ends."""

from __future__ import annotations

import pytest
from support.automation_room import NOW_MS, Chat, catalogue, maria, rules

from whatsself_tui.automation.answer_checks import MAX_ANSWER
from whatsself_tui.automation.decision import Alert, FlowPosition, HandOver
from whatsself_tui.automation.model import Catalogue, Flow, Step, Template, Trigger
from whatsself_tui.automation.occasions import expire

ORDER = """
[[template]]
name = "qual"
text = "Qual o seu nome?"
[[template]]
name = "cep"
text = "Obrigado, {{cliente}}! Qual o CEP?"
[[template]]
name = "cep errado"
text = "Esse CEP não existe."
[[template]]
name = "resumo"
text = "{{cliente}}, entregamos em {{cep}}."
[[template]]
name = "tchau"
text = "Até logo!"
[[template]]
name = "oi"
text = "Oi!"

[[trigger]]
name = "pedir"
equals = "pedido"
template = "oi"
flow = "pedido"
cooldown_s = 60

[[flow]]
name = "pedido"
[[flow.step]]
name = "nome"
ask = "qual"
save = "cliente"
[[flow.step]]
name = "cep"
ask = "cep"
save = "cep"
check = "cep"
invalid = "cep errado"
tries = 2
timeout_min = 10
answers = { "não sei" = "tchau", "*" = "resumo" }
[[flow.step]]
name = "resumo"
send = "resumo"
[[flow.step]]
name = "pessoa"
handover = true
[[flow.step]]
name = "tchau"
end = "tchau"
"""


@pytest.fixture
def chat() -> Chat:
    return Chat(rules(ORDER))


def test_a_trigger_sends_its_template_and_starts_its_flow(chat: Chat) -> None:
    assert chat.write("Pedido!") == ["Oi!", "Qual o seu nome?"]
    assert [answer.source for answer in chat.last.answers] == ["trigger:pedir", "flow:pedido/nome"]
    assert {(answer.priority, answer.window) for answer in chat.last.answers} == {(5, "reply")}
    assert chat.last.rule == "trigger"
    assert chat.last.fired == "pedir"
    assert chat.last.explanation == (
        'Trigger "pedir" fires: equals "pedido". Flow "pedido", step "nome" waits for an answer.'
    )
    flow = chat.book.catalogue.flows["pedido"]
    assert chat.state.flow == FlowPosition("pedido", "nome", {}, 0, NOW_MS, NOW_MS + 24 * 3_600_000, flow.version)


def test_answers_are_kept_and_sent_back(chat: Chat) -> None:
    chat.write("pedido")
    assert chat.write("  Ana  ") == ["Obrigado, Ana! Qual o CEP?"]
    assert chat.write("01310100") == ["Ana, entregamos em 01310-100."]
    assert chat.last.rule == "flow"
    assert chat.last.hand_over == HandOver('flow "pedido", step "pessoa" hands over to a person')
    assert chat.last.flow_cleared
    assert [alert.kind for alert in chat.last.alerts] == ["waiting_for_human"]
    assert chat.place == ""
    assert chat.write("oi?") == []
    assert [decision.rule for decision in chat.decisions[-2:]] == ["flow", "handed_over"]


def test_an_exact_answer_goes_before_the_check(chat: Chat) -> None:
    chat.write("pedido")
    chat.write("Ana")
    assert chat.write("NAO SEI...") == ["Até logo!"]
    assert chat.last.explanation == 'Flow "pedido", step "tchau" ends the flow.'
    assert chat.last.flow_cleared
    assert chat.last.hand_over is None


def test_a_wrong_answer_is_told_so_and_then_a_person_takes_over(chat: Chat) -> None:
    chat.write("pedido")
    chat.write("Ana")
    assert chat.write("123") == ["Esse CEP não existe."]
    assert chat.place == "pedido/cep"
    assert chat.state.flow is not None
    assert chat.state.flow.tries == 1
    assert chat.last.explanation == 'Flow "pedido", step "cep" waits for an answer, wrong answer 1 of 2.'
    assert chat.write("456") == ["Vou chamar uma pessoa."]
    assert chat.last.hand_over == HandOver('flow "pedido", step "cep" got no right answer in 2 tries')
    assert chat.place == ""


def test_a_right_answer_forgets_the_wrong_ones(chat: Chat) -> None:
    chat.write("pedido")
    chat.write("Ana")
    chat.write("123")
    chat.write("01310-100")
    assert chat.last.hand_over == HandOver('flow "pedido", step "pessoa" hands over to a person')


def test_a_wrong_answer_repeats_the_question_and_gives_up_where_the_file_says() -> None:
    chat = Chat(rules(ORDER.replace('invalid = "cep errado"', 'give_up = "tchau"')))
    chat.write("pedido")
    chat.write("Ana")
    assert chat.write("x") == ["Obrigado, Ana! Qual o CEP?"]
    assert chat.write("x") == ["Até logo!"]
    assert chat.last.hand_over is None


def test_without_a_handover_text_the_contact_is_handed_over_silently() -> None:
    book = rules(ORDER)
    chat = Chat(rules(book.catalogue, answering=type(book.answering)(handover_text="")))
    for text in ("pedido", "Ana", "x"):
        chat.write(text)
    assert chat.write("x") == []
    assert chat.last.hand_over is not None


def test_a_question_waits_until_its_time_is_up(chat: Chat) -> None:
    chat.write("pedido")
    chat.write("Ana")
    chat.wait(minutes=9.99)
    chat.write("123")
    assert chat.place == "pedido/cep"
    chat.wait(minutes=10)  # the wrong answer put the question again
    assert expire(chat.state, chat.now_ms - 1) is None
    expired = expire(chat.state, chat.now_ms)
    assert expired is not None
    assert (expired.rule, expired.flow_cleared, expired.answers) == ("expired", True, ())
    assert chat.write("01310100") == []
    assert chat.last.rule == "unmatched"
    assert chat.last.flow_cleared
    assert chat.place == ""
    assert expire(chat.state, chat.now_ms) is None


def test_a_late_message_may_begin_the_flow_anew(chat: Chat) -> None:
    chat.write("pedido")
    chat.wait(minutes=24 * 60)
    assert chat.write("pedido") == ["Oi!", "Qual o seu nome?"]
    assert chat.place == "pedido/nome"
    assert not chat.last.flow_cleared


def test_inside_a_flow_no_trigger_fires(chat: Chat) -> None:
    chat.write("pedido")
    chat.wait(minutes=5)
    assert chat.write("pedido") == ["Obrigado, pedido! Qual o CEP?"]
    assert chat.last.fired is None


def test_a_flow_that_changed_keeps_the_contact_on_its_step(chat: Chat) -> None:
    chat.write("pedido")
    chat.write("Ana")
    chat.book = rules(ORDER.replace("Até logo!", "Tchau!").replace('name = "nome"', 'name = "quem"'))
    assert chat.write("não sei") == ["Tchau!"]


@pytest.mark.parametrize(
    ("now", "says"),
    [
        ("", 'the flow "pedido" is no longer in the file'),
        (ORDER.replace('name = "cep"\nask', 'name = "zip"\nask'), 'the step "cep" of the flow "pedido" is no longer'),
        (
            ORDER.replace('name = "cep"\nask', 'name = "zip"\nask')
            .replace('"tchau"\nend', '"cep"\nend')
            .replace('= "tchau", "*"', '= "cep", "*"'),
            'the step "cep" of the flow "pedido" asks no longer',
        ),
    ],
)
def test_a_step_that_is_gone_ends_the_flow_and_alerts_the_operator(chat: Chat, now: str, says: str) -> None:
    chat.write("pedido")
    chat.write("Ana")
    chat.book = rules(now)
    chat.write("01310-100")
    (alert,) = chat.last.alerts
    assert alert.kind == "flow_ended"
    assert says in alert.text
    assert chat.last.flow_cleared
    assert chat.place == ""


def test_a_jump_goes_on_in_the_other_flow_with_what_was_answered() -> None:
    chat = Chat(
        rules("""
        [[template]]
        name = "nome?"
        text = "Nome?"
        [[template]]
        name = "cor?"
        text = "{{cliente}}, qual a cor?"
        [[trigger]]
        name = "t"
        equals = "oi"
        flow = "um"
        [[flow]]
        name = "um"
        [[flow.step]]
        name = "a"
        ask = "nome?"
        save = "cliente"
        [[flow.step]]
        name = "b"
        jump = "dois"
        [[flow]]
        name = "dois"
        [[flow.step]]
        name = "a"
        ask = "cor?"
        [[flow.step]]
        name = "b"
        end = true
        """)
    )
    assert chat.write("oi") == ["Nome?"]
    assert chat.last.fired == "t"
    assert chat.write("Ana") == ["Ana, qual a cor?"]
    assert chat.last.answers[0].source == "flow:dois/a"
    assert chat.place == "dois/a"
    assert chat.write("azul") == []
    assert chat.place == ""


MENU = """
[[template]]
name = "menu"
text = "1 ou 2?"
[[template]]
name = "um"
text = "Um!"
[[trigger]]
name = "t"
equals = "menu"
flow = "menu"
[[flow]]
name = "menu"
[[flow.step]]
name = "menu"
ask = "menu"
answers = { "1" = "um", "2" = "fim" }
[[flow.step]]
name = "um"
send = "um"
next = "menu"
[[flow.step]]
name = "fim"
end = true
"""


@pytest.mark.parametrize("text", ["1", "1️⃣", "(1)", " 1. "])
def test_a_menu_takes_its_answers_folded(text: str) -> None:
    chat = Chat(rules(MENU))
    chat.write("menu")
    assert chat.write(text) == ["Um!", "1 ou 2?"]
    assert chat.place == "menu/menu"


@pytest.mark.parametrize("text", ["3", "12", "", "um", "menu"])
def test_a_menu_takes_nothing_else(text: str) -> None:
    chat = Chat(rules(MENU))
    chat.write("menu")
    assert chat.write(text) == ["1 ou 2?"]
    assert chat.state.flow is not None
    assert chat.state.flow.tries == 1


def test_a_recognised_answer_of_any_length_is_kept_short() -> None:
    menu = MENU.replace('ask = "menu"', 'ask = "menu"\nsave = "escolha"')
    chat = Chat(rules(menu))
    chat.write("menu")
    chat.write("1" + "!" * 1_000_000)
    assert chat.state.flow is not None
    assert chat.state.flow.values == {"escolha": "1"}
    chat.write("1" + "!" * 10)
    assert chat.state.flow.values == {"escolha": "1!!!!!!!!!!"}
    assert len("1!!!!!!!!!!") < MAX_ANSWER


def test_media_answer_a_question_for_anything(chat: Chat) -> None:
    chat.write("pedido")
    assert chat.write("", "image") == ["Obrigado, [image]! Qual o CEP?"]


def test_what_was_not_answered_renders_empty_with_a_warning() -> None:
    skipping = ORDER.replace('answers = { "não sei" = "tchau"', 'give_up = "tchau"\nanswers = { "não sei" = "resumo"')
    chat = Chat(rules(skipping), state=maria(flow=FlowPosition("pedido", "cep", expires_at_ms=NOW_MS + 1)))
    assert chat.write("não sei") == [", entregamos em não sei."]
    assert chat.last.warnings == ("template resumo: no value for {{cliente}}",)


def test_a_flow_that_runs_on_without_a_question_is_stopped() -> None:
    """Files are refused for this; a catalogue from elsewhere must not hang the robot either."""
    loop = Flow("f", (Step("a", "send", "t", next="b"), Step("b", "jump", jump="f")))
    book = rules(Catalogue({"t": Template("t", "x")}, (Trigger("t", "equals", ("oi",), flow="f"),), {"f": loop}))
    chat = Chat(book)
    assert len(chat.write("oi")) <= 21
    assert chat.last.alerts == (Alert("flow_ended", 'The flow "f" was ended: 20 steps without a question.'),)
    assert chat.place == ""


def test_twenty_steps_and_a_question_are_not_too_many() -> None:
    steps = "".join(f'[[flow.step]]\nname = "s{at}"\nsend = "menu"\n' for at in range(20))
    chat = Chat(rules(MENU.replace('[[flow.step]]\nname = "menu"', f'{steps}[[flow.step]]\nname = "menu"', 1)))
    assert len(chat.write("menu")) == 21
    assert chat.place == "menu/menu"


def test_the_version_changes_with_the_flow_alone() -> None:
    one = catalogue(MENU).flows["menu"].version
    assert one == catalogue(MENU + '[[template]]\nname = "x"\ntext = "x"\n').flows["menu"].version
    assert one != catalogue(MENU.replace('ask = "menu"', 'ask = "menu"\ntries = 4')).flows["menu"].version
