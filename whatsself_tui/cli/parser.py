"""What can be asked of the command line: the commands, their arguments, and the function behind each.

The functions are named, not imported: a command loads what it needs when it runs.
"""

from __future__ import annotations

import argparse

from whatsself_tui import __version__
from whatsself_tui.host.data_folder import ENVIRONMENT

#: What `queue list --state` takes.
QUEUE_STATES = ("queued", "sending", "dead", "unconfirmed")


def build_parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    parser = argparse.ArgumentParser(
        prog="whatsself-tui",
        description="A WhatsApp robot for a small business, and the console that runs it.",
        epilog="Without a command the console opens.",
    )
    parser.add_argument("--version", action="version", version=f"whatsself-tui {__version__}")
    parser.set_defaults(run="console:run_console")
    _data_dir(parser, None)
    _console_flags(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    console = _add(commands, "console", "open the console", "console:run_console", json=False)
    _console_flags(console)
    _add_run(commands)
    _add(commands, "status", "the whole robot at a glance", "status:status")
    _add_pair(commands)
    _add_bridge(commands)
    _add_send(commands)
    _add_messages(commands)
    _add_receive(commands)
    _add_simulate(commands)
    _add_queue(commands)
    _add_contacts(commands)
    _add_breaker(commands)
    _add_config(commands)
    _add_automation(commands)
    _add_backup(commands)
    return parser


def _data_dir(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--data-dir",
        metavar="FOLDER",
        default=default,
        help=f"the robot's data folder (else ${ENVIRONMENT}, ./data of a checkout, or your user data folder)",
    )


def _console_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--read-only", action="store_true", help="look, without any key that changes something")
    parser.add_argument("--demo", action="store_true", help="simulated customers in a temporary data folder")


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    run: str,
    *,
    json: bool = True,
) -> argparse.ArgumentParser:
    """A command; `run` is the function that carries it out, as `module:name` below `whatsself_tui.cli`."""
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(run=run)
    _data_dir(parser, argparse.SUPPRESS)
    if json:
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = _add(commands, "run", "run the robot without a console", "run:run_headless")
    run.add_argument("--headless", action="store_true", required=True, help="no console; `whatsself-tui` attaches one")
    run.add_argument("--until-idle", action="store_true", help="end when nothing is left to do now")


def _add_pair(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    pair = _add(commands, "pair", "link the robot with the phone of the business", "pair:pair", json=False)
    pair.add_argument("--phone", metavar="PHONE", help="show eight characters to type into this phone, no QR code")
    pair.add_argument("--png", metavar="FILE", help="write the QR code into this picture, too")
    _add(commands, "connect", "try to reach WhatsApp now, and take over from another computer", "pair:connect")


def _add_bridge(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bridge = commands.add_parser(
        "bridge", help="the library inside WhatsApp's page", description="The library inside WhatsApp's page (wa-js)."
    )
    actions = bridge.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add(actions, "status", "whether it is there, and which browser would be used", "bridge:status")
    installing = _add(actions, "install", "fetch it, and verify its checksum", "bridge:install")
    installing.add_argument("--from", dest="source", metavar="FILE", help="a file or an npm package (.tgz) you have")


def _add_send(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    send = _add(commands, "send", "queue a message", "queue:send")
    send.add_argument("phone", metavar="PHONE", help="with country code, such as 5511999990001")
    send.add_argument("text", metavar="TEXT", nargs="?", default="", help="the message, or the caption of --file")
    send.add_argument("--file", metavar="FILE", help="an image, a document or audio to send with it")
    send.add_argument("--priority", type=_priority, default=5, metavar="N", help="0 to 10, higher goes first (5)")
    send.add_argument("--not-before", metavar="T", help="2026-11-23T09:00, 09:00 or +15m")
    send.add_argument("--expires", metavar="T", help="dropped instead of sent later than this")
    send.add_argument("--in-hours", action="store_true", help="wait until the business is open")
    send.add_argument("--dedup", metavar="KEY", help="two messages with the same key are one")


def _add_messages(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    messages = commands.add_parser("messages", help="what was received", description="What was received.")
    actions = messages.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = _add(actions, "media", "print the media that were received, the newest first", "media:list_media")
    listing.add_argument("--limit", type=_limit, default=50, metavar="N", help="how many at most (50)")
    fetching = _add(actions, "download", "fetch one of them from WhatsApp", "media:download")
    fetching.add_argument("id", type=_message_id, metavar="ID", help="its number, as `messages media` prints it")


def _add_receive(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    receive = _add(commands, "receive", "let a message arrive at the simulated phone", "receive:receive")
    receive.add_argument("phone", metavar="PHONE", nargs="?")
    receive.add_argument("text", metavar="TEXT", nargs="?")
    receive.add_argument("--id", metavar="ID", help="WhatsApp message id; the same id is handled once")
    receive.add_argument("--name", metavar="NAME", help="display name of the contact")
    receive.add_argument("--by-hand", action="store_true", help="a person of the business typed it to PHONE instead")
    receive.add_argument("--export", metavar="FILE", help="a conversation exported by WhatsApp (- for stdin)")
    receive.add_argument("--me", metavar="NAME", help="with --export: whose messages are your own")


def _add_simulate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    simulate = _add(commands, "simulate", "play a conversation against the files, without sending", "simulate:simulate")
    simulate.epilog = (
        "A state file is a JSON object with any of name, opted_out, welcomed, unmatched, hand_over, flow, fired_at,"
        " away_period and last_variants; --json prints such objects as contact_state."
    )
    simulate.add_argument("phone", metavar="PHONE", nargs="?")
    simulate.add_argument("texts", metavar="TEXT", nargs="*", help="one turn each; a medium is '[image] its caption'")
    simulate.add_argument("--as-of", metavar="T", help="when the first TEXT is written, such as 2026-11-23T09:00 (now)")
    simulate.add_argument("--pause", type=_pause, metavar="S", help="seconds between two TEXTs (60)")
    simulate.add_argument("--contact-state", metavar="STATE", help="new, stored, or a JSON file (stored, else new)")
    simulate.add_argument("--seed", type=_seed, metavar="N", help="other variants of the templates")
    simulate.add_argument("--export", metavar="FILE", help="a conversation exported by WhatsApp (- for stdin)")
    simulate.add_argument("--me", metavar="NAME", help="with --export: whose messages are your own")


def _add_queue(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    queue = commands.add_parser("queue", help="the messages that wait", description="The messages that wait.")
    actions = queue.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = _add(actions, "list", "print them", "queue:list_queue")
    listing.add_argument("--state", choices=QUEUE_STATES, default="queued", help="which ones (queued)")
    listing.add_argument("--limit", type=_limit, default=50, metavar="N", help="how many at most (50)")
    showing = _add(actions, "show", "print one with its history", "queue:show_message")
    showing.add_argument("id", type=_message_id, metavar="ID", help="its number, as `queue list` prints it")
    for action, text, every in (
        ("retry", "send messages that have failed, or nobody knows of, again", "all that have failed"),
        ("cancel", "take waiting messages out", "all that wait"),
        ("discard", "give messages up that have failed, or nobody knows of", "all that have failed"),
        ("confirm", "messages nobody knew of have arrived", "all that are unconfirmed"),
    ):
        deciding = _add(actions, action, text, "queue:decide")
        deciding.set_defaults(action=action)
        deciding.add_argument(
            "ids", type=_message_id, nargs="*", metavar="ID", help="numbers, as `queue list` prints them"
        )
        deciding.add_argument("--all", action="store_true", help=every)
    for action, text in (("pause", "send nothing until resumed"), ("resume", "send again")):
        _add(actions, action, text, "queue:set_paused").set_defaults(action=action)


def _add_contacts(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    contacts = commands.add_parser("contacts", help="the people who write", description="The people who write.")
    actions = contacts.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = _add(actions, "list", "print them, those that wrote last first", "contacts:list_contacts")
    for which, text in (
        ("waiting", "who wrote and waits for a person"),
        ("handed_over", "who is left to a person"),
        ("opted_out", "who wants no messages"),
    ):
        flag = f"--{which.replace('_', '-')}"
        listing.add_argument(flag, dest="which", action="store_const", const=which, default="all", help=f"only {text}")
    listing.add_argument("--limit", type=_limit, default=50, metavar="N", help="how many at most (50)")
    _add_phone(_add(actions, "show", "print one with its place in a flow", "contacts:show_contact"))
    for action, text in (
        ("opt-in", "the contact has agreed to messages"),
        ("opt-out", "the contact wants no messages"),
        ("handover", "a person answers; the robot is silent"),
        ("release", "the robot answers again"),
    ):
        deciding = _add(actions, action, text, "contacts:decide")
        deciding.set_defaults(action=action)
        _add_phone(deciding)
        if action == "handover":
            deciding.add_argument("--minutes", type=_minutes, metavar="N", help="for how long (until released)")


def _add_phone(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("phone", metavar="PHONE", help="with country code, or a LID")


def _add_breaker(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    breaker = commands.add_parser("breaker", help="the circuit breaker", description="The circuit breaker.")
    actions = breaker.add_subparsers(title="actions", metavar="ACTION", required=True)
    for action, text in (
        ("show", "its state, its window and its last changes"),
        ("reset", "closed, as if nothing had happened"),
        ("open", "send nothing until further notice"),
        ("close", "send whatever happens until further notice"),
        ("auto", "let the failures decide again"),
        ("measure", "count failures but never open"),
    ):
        run = "breaker:show" if action == "show" else "breaker:operate"
        _add(actions, action, text, run).set_defaults(action=action)


def _add_config(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    config = commands.add_parser("config", help="the configuration", description="The configuration.")
    actions = config.add_subparsers(title="actions", metavar="ACTION", required=True)
    for action, text in (
        ("path", "where the files are"),
        ("check", "everything that is wrong with the files"),
        ("show", "the settings in force"),
    ):
        _add(actions, action, text, f"configuration:{action}")


def _add_automation(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    automation = commands.add_parser("automation", help="what is answered", description="What is answered.")
    actions = automation.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add(actions, "check", "every mistake and warning, with its line", "automation:check")
    showing = _add(actions, "show", "print what there is, or one flow, trigger or template", "automation_show:show")
    showing.add_argument("name", metavar="NAME", nargs="?")
    exporting = _add(actions, "export", "write all of it as JSON", "automation:export", json=False)
    exporting.add_argument("file", metavar="FILE", nargs="?", default="-", help="where to (- for stdout)")
    importing = _add(
        actions, "import", "take templates, triggers and flows over from JSON", "automation_import:take_over"
    )
    importing.add_argument("file", metavar="FILE", help="an export, or a package of WhatsSelf (- for stdin)")
    importing.add_argument("--dry-run", action="store_true", help="tell what would change and change nothing")
    importing.add_argument("--replace", action="store_true", help="remove what the file does not have")


def _add_backup(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backup = commands.add_parser("backup", help="copies to keep", description="Settings, database and login, to keep.")
    actions = backup.add_subparsers(title="actions", metavar="ACTION", required=True)
    for action, text, run in (
        ("create", "make one and verify it", "create"),
        ("list", "print those that are there, the newest first", "show"),
        ("verify", "read all of one and compare it with its list of checksums", "verify"),
        ("restore", "put one in place of what is there, which is kept (the robot is stopped)", "restore"),
    ):
        parser = _add(actions, action, text, f"backup:{run}")
        if action in ("verify", "restore"):
            parser.add_argument("file", metavar="FILE", nargs="?", help="a file, or a name from the list (the newest)")
        if action == "restore":
            parser.add_argument("--dry-run", action="store_true", help="check everything and change nothing")
            parser.add_argument("--empty", action="store_true", help="put an empty database in place instead")


def _priority(text: str) -> int:
    return _whole(text, 0, 10)


def _message_id(text: str) -> int:
    return _whole(text, 1, 1 << 53)


def _minutes(text: str) -> int:
    return _whole(text, 1, 525_600)


def _limit(text: str) -> int:
    return _whole(text, 1, 100_000)


def _pause(text: str) -> int:
    return _whole(text, 0, 31_536_000)


def _seed(text: str) -> int:
    return _whole(text, 0, 1 << 53)


def _whole(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
    return int(text)
