"""A bakery's catalogue against what customers in Brazil write."""

from __future__ import annotations

import tomllib

import pytest
from support.automation_room import NOW_MS, rules

from whatsself_tui.automation.catalogue import read_catalogue
from whatsself_tui.automation.decision import ConsentRules, ContactState, Incoming
from whatsself_tui.automation.engine import run_rules
from whatsself_tui.automation.model import Catalogue

AUTOMATION = """
[[template]]
name = "boas-vindas"
text = "{{saudacao}}, {{primeiro_nome}}! Aqui é a {{empresa}}. Como podemos ajudar?"

[[template]]
name = "horário"
text = "Abrimos todos os dias, das 6h às 20h."

[[template]]
name = "cardápio"
text = "Nosso cardápio: pães, bolos e salgados."

[[template]]
name = "pix"
text = "Nossa chave Pix é padaria@example.com."

[[template]]
name = "entrega"
text = "Entregamos no bairro, taxa de R$ 5,00."

[[template]]
name = "de nada"
text = "Nós que agradecemos, {{primeiro_nome}}!"

[[trigger]]
name = "saudação"
contains = ["oi", "olá", "bom dia", "boa tarde", "boa noite", "opa", "e aí"]
template = "boas-vindas"
cooldown_s = 3600

[[trigger]]
name = "preço"
contains = ["preço", "preços", "quanto custa", "quanto é", "quanto tá", "valor", "cardápio", "menu"]
template = "cardápio"
priority = 20

[[trigger]]
name = "horário"
contains = ["horário", "que horas", "tá aberto", "está aberto", "estão abertos", "abre", "fecha"]
template = "horário"
priority = 20

[[trigger]]
name = "pix"
contains = ["pix", "chave"]
template = "pix"
priority = 30

[[trigger]]
name = "entrega"
contains = ["entrega", "entregam", "delivery", "tele entrega", "motoboy"]
template = "entrega"
priority = 25

[[trigger]]
name = "agradecimento"
equals = ["obrigado", "obrigada", "brigado", "brigada", "vlw", "valeu", "muito obrigada", "muito obrigado", "🙏", "👍"]
template = "de nada"

[[trigger]]
name = "um"
equals = ["1", "um"]
template = "cardápio"
"""

CONSENT = ConsentRules(
    opt_out=("PARAR", "SAIR", "CANCELAR", "STOP", "UNSUBSCRIBE", "DESCADASTRAR", "REMOVER", "EXCLUIR"),
    opt_in=("VOLTAR", "START"),
    opt_out_text="Você não receberá mais mensagens.",
    opt_in_text="Bem-vindo de volta!",
)


@pytest.fixture(scope="module")
def bakery() -> Catalogue:
    catalogue, findings = read_catalogue(tomllib.loads(AUTOMATION))
    assert findings == ()
    assert catalogue is not None
    return catalogue


def source_of(text: str, catalogue: Catalogue, opted_out: bool = False) -> str:
    """Source of the answer, or the rule when there is none."""
    state = ContactState("Zé 🚀", "5511999990001", opted_out, welcomed=True)
    decision = run_rules(rules(catalogue, consent=CONSENT), state, Incoming(text), NOW_MS, 0)
    return decision.answers[0].source.removeprefix("trigger:") if decision.answers else decision.rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("oi", "saudação"),
        ("Oii", "unmatched"),
        ("OI!!!", "saudação"),
        ("oi😊", "saudação"),
        ("Ola boa tarde", "saudação"),
        ("OLÁ", "saudação"),
        ("opa, beleza?", "saudação"),
        ("e ai", "saudação"),
        ("Bom diaaa", "unmatched"),
        ("bom dia! quanto custa o bolo de cenoura?", "preço"),
        ("QUANTO É O PÃO", "preço"),
        ("qnt custa", "unmatched"),
        ("me manda o cardapio pfv", "preço"),
        ("Me manda o cardápio por favor 🙏🏽", "preço"),
        ("oi,quanto custa?", "preço"),
        ("qual o valor da torta??", "preço"),
        ("Tem menu?", "preço"),
        ("vcs tao abertos?", "unmatched"),
        ("Ta aberto hj?", "horário"),
        ("Que horas fecha hoje", "horário"),
        ("q horas abre", "horário"),
        ("aceita pix?", "pix"),
        ("Qual a chave PIX e o valor?", "pix"),
        ("PIX 👍", "pix"),
        ("fazem entrega?", "entrega"),
        ("tele-entrega", "entrega"),
        ("tem delivery ou motoboy", "entrega"),
        ("obg", "unmatched"),
        ("Obrigada!", "agradecimento"),
        ("muito obrigado.", "agradecimento"),
        ("obrigada pela entrega", "entrega"),
        ("Vlw", "agradecimento"),
        ("👍", "agradecimento"),
        ("👍🏿", "agradecimento"),
        ("🙏🏽", "agradecimento"),
        ("1", "um"),
        ("1️⃣", "um"),
        ("10", "unmatched"),
        ("um pão", "unmatched"),
        ("não quero oitenta", "unmatched"),
        ("valorizo", "unmatched"),
        ("kkkkk", "unmatched"),
        ("Parar!", "consent:opt_out"),
        ("sair", "consent:opt_out"),
        ("Cancelar.", "consent:opt_out"),
        ("STOP", "consent:opt_out"),
        ("descadastrar 😡", "consent:opt_out"),
        ("nao quero cancelar meu pedido", "unmatched"),
        ("quero sair da lista, bom dia", "saudação"),
        ("pode parar com o pix?", "pix"),
        ("", "empty"),
    ],
)
def test_what_customers_write(text: str, expected: str, bakery: Catalogue) -> None:
    assert source_of(text, bakery) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("oi", "opted_out"),
        ("quanto custa?", "opted_out"),
        ("PARAR", "opt_out"),
        ("voltar", "consent:opt_in"),
        ("Start!", "consent:opt_in"),
        ("quero voltar", "opted_out"),
    ],
)
def test_what_somebody_opted_out_writes(text: str, expected: str, bakery: Catalogue) -> None:
    assert source_of(text, bakery, opted_out=True) == expected


def test_the_greeting_names_the_customer(bakery: Catalogue) -> None:
    state = ContactState("Zé 🚀", "", False)
    decision = run_rules(rules(bakery, consent=CONSENT), state, Incoming("oi"), NOW_MS, 0)
    assert decision.answers[0].text == "Boa tarde, Zé! Aqui é a Padaria Pão Quente. Como podemos ajudar?"
