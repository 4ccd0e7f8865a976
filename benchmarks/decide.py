"""What the rules cost for one message: with few triggers, with thousands, in a flow, and for a huge text.

    python benchmarks/decide.py

No disk, no queue: only the decision, in microseconds, the median of many rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from report import Line, show

from whatsself_tui.automation.decision import Business, ConsentRules, ContactState, FlowPosition, Incoming
from whatsself_tui.automation.engine import run_rules
from whatsself_tui.automation.hours import OpeningHours, parse_hours
from whatsself_tui.automation.model import Catalogue, Flow, Step, Template, Trigger, TriggerKind
from whatsself_tui.automation.rulebook import RuleBook

NOW_MS = 1_795_455_000_000
"""A Monday afternoon in São Paulo, within business hours."""

MESSAGES = [
    "oi",
    "Oi, bom dia! Tudo bem?",
    "quanto custa o produto 7 com entrega?",
    "vocês abrem hoje até que horas?",
    "Queria saber se ainda tem vaga para amanhã de manhã, minha filha faz aniversário 🎂",
    "7",
    "pedido 12 por favor",
    "kkkkk",
    "Boa tarde, eu comprei semana passada e ainda não chegou, podem verificar para mim?",
    "👍",
]


def main() -> int:
    """Measure and print; exit 1 if a bar is missed."""
    few, many = book(20), book(2_000)
    patterns = book(2_000, kinds=("regex",))
    in_flow = ContactState(
        "Maria", "5511999990001", False, welcomed=True, flow=FlowPosition("f", "cep", {}, 0, 0, 2**60)
    )
    few_us, many_us = cost_us(few, MESSAGES), cost_us(many, MESSAGES)
    small, huge = (cost_us(many, [" ".join(MESSAGES) * times], rounds=5) for times in (25, 2_500))
    return show(
        "decide",
        [
            _budget("20 triggers, microseconds", few_us, 50),
            _budget("2,000 triggers, microseconds", many_us, 1_000),
            _budget("2,000 triggers that are all patterns, microseconds", cost_us(patterns, MESSAGES), 1_000),
            _budget("an answer inside a flow, microseconds", cost_us(few, MESSAGES, in_flow), 50),
            Line("2,000 triggers, microseconds", many_us, "20 triggers", few_us, many_us / few_us, 20, at_most=True),
            Line(
                "a text of 950,000 characters, microseconds",
                huge,
                "one of 9,500",
                small,
                huge / small,
                200,
                at_most=True,
            ),
        ],
    )


def book(count: int, kinds: Sequence[TriggerKind] = ()) -> RuleBook:
    """A shop with that many triggers, all settings that cost something switched on."""
    mixed: Sequence[TriggerKind] = ("contains", "contains", "contains", "equals", "equals", "number", "regex")
    triggers = tuple(_trigger(number, (kinds or mixed)[number % len(kinds or mixed)]) for number in range(count))
    zone = ZoneInfo("America/Sao_Paulo")
    steps = (Step("cep", "ask", "t", next="fim", check="cep", save="cep"), Step("fim", "end"))
    made = RuleBook(
        Catalogue({"t": Template("t", "{{greeting}}, {{first_name}}!", ("Oi!",))}, triggers, {"f": Flow("f", steps)}),
        Business("Padaria"),
        OpeningHours(zone, parse_hours(["mon-fri 09:00-12:00 13:00-18:00", "sat 09:00-13:00"])),
        ConsentRules(("PARAR", "SAIR", "CANCELAR", "STOP"), ("VOLTAR",), "Tchau", "Oi"),
        away_text="Fechado.",
    )
    made.prepare()
    return made


def _trigger(number: int, kind: TriggerKind) -> Trigger:
    phrases = {
        "contains": (f"produto {number}", f"quanto custa o {number}", f"tem {number}"),
        "equals": (f"menu {number}", f"opção {number}"),
        "number": (str(number),),
        "regex": (rf"pedido +{number}\b",),
    }[kind]
    return Trigger(f"t{number}", kind, phrases, "t", priority=number % 100)


def cost_us(rules: RuleBook, texts: Sequence[str], state: ContactState | None = None, rounds: int = 300) -> float:
    """Microseconds for one message: the median over rounds of all texts."""
    contact = state or ContactState("Maria", "5511999990001", False, welcomed=True)
    messages = [Incoming(text) for text in texts]

    def all_texts() -> None:
        for number, message in enumerate(messages):
            run_rules(rules, contact, message, NOW_MS, number)

    all_texts()
    return statistics.median(_seconds(all_texts) for _ in range(rounds)) / len(texts) * 1_000_000


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _budget(what: str, value_us: float, budget_us: float) -> Line:
    return Line(what, value_us, f"the budget of {budget_us:g}", budget_us, value_us / budget_us, 1, at_most=True)


if __name__ == "__main__":
    raise SystemExit(main())
