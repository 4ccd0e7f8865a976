"""A bakery's automation on a made-up robot, as the tests and the pictures of its screen use it."""

from __future__ import annotations

from support.automation_room import catalogue
from support.fake_link import FakeLink

from whatsself_tui.errors import Problem

BAKERY = """
[[template]]
name = "menu"
text = '''
Como podemos ajudar?
1 – Cardápio
2 – Fazer um pedido
3 – Falar com uma pessoa'''

[[template]]
name = "menu errado"
text = "Responda com 1, 2 ou 3, por favor."

[[template]]
name = "cardapio"
text = "Pão na chapa R$ 6,00 · Bolo de cenoura R$ 45,00 · Cesta de café R$ 89,90"

[[template]]
name = "agradecimento"
variants = ["Nós que agradecemos, {{first_name}}!", "Imagina! Até logo 🥖"]

[[template]]
name = "pedido nome"
text = "Vamos ao pedido! Qual é o seu nome?"

[[template]]
name = "pedido cep"
text = "Prazer, {{cliente}}! Qual é o CEP da entrega?"

[[template]]
name = "cep errado"
text = "Não encontrei esse CEP. Escreva os oito números."

[[template]]
name = "pedido anotado"
text = "Anotado! {{cliente}}, {{cep}}. Uma pessoa confirma o pedido por aqui."

[[template]]
name = "pessoa"
text = "Combinado! Alguém da equipe já responde por aqui."

[[trigger]]
name = "menu"
equals = ["oi", "olá", "bom dia", "boa tarde", "menu"]
flow = "menu"

[[trigger]]
name = "cardapio"
contains = ["cardápio", "preço", "quanto custa"]
template = "cardapio"
priority = 10
cooldown_s = 90

[[trigger]]
name = "pedido"
contains = ["pedido", "encomenda"]
flow = "pedido"
priority = 20

[[trigger]]
name = "natal"
regex = 'panetone|natal'
template = "cardapio"
priority = 10
active = false

[[trigger]]
name = "agradecimento"
equals = ["obrigado", "obrigada", "valeu"]
template = "agradecimento"

[[flow]]
name = "menu"

[[flow.step]]
name = "escolha"
ask = "menu"
invalid = "menu errado"
timeout_min = 60
answers = { "1" = "cardapio", "2" = "pedido", "3" = "pessoa" }

[[flow.step]]
name = "cardapio"
end = "cardapio"

[[flow.step]]
name = "pedido"
jump = "pedido"

[[flow.step]]
name = "pessoa"
handover = "pessoa"

[[flow]]
name = "pedido"

[[flow.step]]
name = "nome"
ask = "pedido nome"
save = "cliente"

[[flow.step]]
name = "cep"
ask = "pedido cep"
save = "cep"
check = "cep"
invalid = "cep errado"
give_up = "anotado"

[[flow.step]]
name = "anotado"
handover = "pedido anotado"
"""

PROBLEMS = (
    Problem(
        "automation.toml",
        22,
        "template[4].text",
        "unknown placeholder {{cliete}}; did you mean {{cliente}}?",
    ),
    Problem("automation.toml", 41, "trigger[2].flow", 'no flow has that name; did you mean "pedido"?'),
)
WARNING = Problem("automation.toml", 90, "flow[1]", "no trigger and no other flow starts this flow")


def bakery_link(mode: str = "owner") -> FakeLink:
    """A robot that answered by these rules all morning."""
    link = FakeLink(mode, business="Padaria Doce Lar")
    link.apply_rules(catalogue(BAKERY))
    link.fired = {"trigger:cardapio": 12, "trigger:agradecimento": 3, "flow:menu": 41, "flow:pedido": 17, "trigger": 15}
    return link


def rejected_link() -> FakeLink:
    """The same after somebody saved mistakes."""
    link = bakery_link()
    link.apply_rules(catalogue(BAKERY), WARNING)
    link.reject_configuration(*PROBLEMS)
    return link
