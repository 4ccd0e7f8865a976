"""The demonstration: a handful of simulated customers who write, ask, complain and opt out.

They write at a human pace for as long as the console is open, against the automation a new data
folder gets, so that somebody who never saw the program understands it in a minute.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from whatsself_tui.clock import Clock
from whatsself_tui.robot.link import RobotLink

#: Somebody writes after 1.5 to 5 seconds, at first sooner.
PAUSE_S = (1.5, 5.0)
FIRST_PAUSE_S = 0.8
OPENING = 4


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who writes these texts in this order, again and again."""

    name: str
    phone: str
    texts: tuple[str, ...]


CUSTOMERS = (
    Customer("Maria Souza", "5511999990001", ("Oi!", "Qual o horário de vocês?", "Obrigada 😊", "Vocês têm cardápio?")),
    Customer("João Pereira", "5521988880002", ("bom dia", "Onde fica a loja?", "E o preço?", "Valeu")),
    Customer(
        "Dona Lúcia",
        "5531977770003",
        ("Boa tarde", "quero falar com atendente", "Deus te abençoe meu filho", "qual o preço da cesta?"),
    ),
    Customer(
        "Carlos (Oficina)",
        "5541966660004",
        ("Meu pedido não chegou!!", "Quero falar com atendente", "Isso é um absurdo", "nao quero cancelar meu pedido"),
    ),
    Customer("Ana", "5551955550005", ("olá", "PARAR", "oi?", "voltar", "cardápio")),
    Customer("مريم", "5511944440006", ("مرحبا", "oi", "menu")),
    Customer("[b]Zé[/b] \x1b[31m", "5585933330007", ("[red]oi[/red]", "oi", "preço \u202eodacirtlep")),
)


async def customers_write(link: RobotLink, clock: Clock, rng: random.Random | None = None) -> None:
    """Let the customers write until cancelled, or until the robot takes no more messages."""
    dice = rng or random.Random()
    for number, (customer, text) in enumerate(_conversation(dice)):
        await clock.sleep(FIRST_PAUSE_S if number < OPENING else dice.uniform(*PAUSE_S))
        message = {
            "wa_id": f"3A{secrets.token_hex(9).upper()}",
            "chat": f"{customer.phone}@c.us",
            "body": text,
            "written_at_ms": clock.now_ms(),
            "name": customer.name,
        }
        result = await link.execute("receive", {"messages": [message]})
        if not result.ok:
            return


def _conversation(dice: random.Random) -> Iterator[tuple[Customer, str]]:
    """Everybody says hello once; then whoever feels like it goes on with their own texts."""
    position = {customer.phone: 0 for customer in CUSTOMERS}
    first = list(CUSTOMERS[:OPENING])
    while True:
        customer = first.pop(0) if first else dice.choice(CUSTOMERS)
        text = customer.texts[position[customer.phone] % len(customer.texts)]
        position[customer.phone] += 1
        yield customer, text
