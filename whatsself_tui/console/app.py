"""The console: a dashboard over one link to the robot, and the actions an operator has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual.binding import Binding
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from whatsself_tui.console.actions import ACTIONS, ActionState, find, reason_against
from whatsself_tui.console.deeds import DEEDS
from whatsself_tui.console.elastic import ElasticApp
from whatsself_tui.console.faults import harmless
from whatsself_tui.console.heartbeat import Heartbeat
from whatsself_tui.console.panes.alerts import Notice
from whatsself_tui.console.panes.top_line import TopLine
from whatsself_tui.console.queries import Situation
from whatsself_tui.console.screens.board import Board
from whatsself_tui.console.screens.dashboard import Dashboard
from whatsself_tui.console.theme import THEME
from whatsself_tui.errors import WhatsSelfError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.logs import logger
from whatsself_tui.robot.link import RobotLink
from whatsself_tui.store.topics import Topic
from whatsself_tui.text import visible

if TYPE_CHECKING:
    from whatsself_tui.console.screens.automation import AutomationScreen
    from whatsself_tui.console.screens.whatsapp import WhatsAppScreen

OpenLink = Callable[[], Awaitable[RobotLink]]

#: On Windows each of Textual's sleeping timers holds a thread of the default pool (cpu + 4 of them).
_POOL_THREADS = 64

#: Seconds a toast stays; what it said stays in the alerts pane.
_TOAST_S = 6.0

_STYLES = Path(__file__).parent / "styles"

_log = logger("console")


class LinkChanged(Message, bubble=False):
    """The link told of changes; which ones is collected until this is handled."""


class WhatsSelfApp(ElasticApp):
    """Runs until the operator quits; `link` is then the one the caller has to close."""

    TITLE = "WhatsSelf TUI"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        _STYLES / f"{name}.tcss" for name in ("dashboard", "automation", "whatsapp", "confirm", "help", "palette")
    ]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [  # noqa: RUF012
        # ctrl+q goes before everything, as in every Textual program: the way out works from any screen.
        Binding(key, f"act('{action.id}')", action.title, id=action.id, show=False, priority=key == "ctrl+q")
        for action in ACTIONS
        for key in action.keys
    ]

    def __init__(
        self,
        link: RobotLink,
        *,
        open_link: OpenLink | None = None,
        take_over: OpenLink | None = None,
        read_only: bool = False,
        settings_file: Path | None = None,
        demo: bool = False,
    ) -> None:
        """`open_link` is called after the first frame, and what it returns takes the place of `link`.

        `take_over` makes this process the owner and returns its link; None where that is not offered.
        """
        super().__init__()
        self.failure: WhatsSelfError | None = None
        """Why `open_link` failed, which ended the console."""
        self._open_link = open_link
        self.take_over = take_over
        self.settings_file = settings_file
        self.is_demo = demo
        self._link = link
        self._read_only = read_only
        self._unlisten: Callable[[], None] | None = None
        self._changed: set[Topic] = set()
        self._situation: Situation | None = None
        self._had_owner = link.state.owner is not None
        self._busy: set[str] = set()
        self._is_away = False
        self.dashboard = Dashboard(self, self._top_line())
        self.automation: AutomationScreen | None = None
        """The automation screen, once it has been opened."""
        self.whatsapp: WhatsAppScreen | None = None
        """The WhatsApp screen, once it has been opened."""
        self.heartbeat = Heartbeat(lambda: self._link.now_ms(), self._due_at_ms, self.beat)

    def _top_line(self) -> TopLine:
        badges = [badge for badge, wanted in ((" DEMO ", self.is_demo), (" READ-ONLY ", self._read_only)) if wanted]
        may_take_over = self.take_over is not None and not self._read_only
        return TopLine(self, pane_id="top", badges=badges, may_take_over=may_take_over, told=self._situation_read)

    # Screens.

    @property
    def _boards(self) -> tuple[Board, ...]:
        return tuple(board for board in (self.dashboard, self.automation, self.whatsapp) if board is not None)

    @property
    def board(self) -> Board:
        """The one that is open, whatever dialog lies over it."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Board)), self.dashboard)

    def toggle_automation(self) -> None:
        """Open the automation screen, or go back from it."""
        from whatsself_tui.console.screens.automation import AutomationScreen  # the first frame does without

        if self.automation is None:
            self.automation = AutomationScreen(self, self._top_line())
            self.install_screen(self.automation, "automation")
        self._toggle(self.automation)

    def toggle_whatsapp(self) -> None:
        """Open the WhatsApp screen, or go back from it."""
        from whatsself_tui.console.screens.whatsapp import WhatsAppScreen  # the first frame does without

        if self.whatsapp is None:
            folder = DataFolder(self.settings_file.parent.parent) if self.settings_file is not None else None
            self.whatsapp = WhatsAppScreen(self, self._top_line(), folder, read_only=self._read_only)
            self.install_screen(self.whatsapp, "whatsapp")
        self._toggle(self.whatsapp)

    def _toggle(self, board: Board) -> None:
        if self.board is not board and board not in self.screen_stack:
            self.push_screen(board)
        else:  # it is open, or under the one that is
            self.board.dismiss(None)

    def _due_at_ms(self) -> int | None:
        times = (board.due_at_ms() for board in self._boards)
        return min((at for at in times if at is not None), default=None)

    # What the panes need of the console.

    @property
    def link(self) -> RobotLink:
        """The present way to the robot; another one after `link_changed`."""
        return self._link

    @property
    def is_away(self) -> bool:
        """Whether another program has the terminal."""
        return self._is_away

    def set_heartbeat(self) -> None:
        """A picture changed: see which is the next to change by mere time."""
        if self.is_running:
            self.heartbeat.set()

    def beat(self) -> None:
        """Time has passed: the pictures whose time has come follow it."""
        for board in self._boards:
            board.beat()

    # Life.

    def get_default_screen(self) -> Screen[None]:
        """The dashboard is what the app opens with."""
        return self.dashboard

    def on_load(self) -> None:
        """Before the first frame."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_POOL_THREADS, "console"))
        self.animation_level = "none"
        self.register_theme(THEME)
        self.theme = THEME.name

    def on_mount(self) -> None:
        """Listen from the first frame on."""
        self._unlisten = self._link.listen(self._hear)
        self.show_state()
        if self._open_link is not None:
            self.call_after_refresh(self.run_worker, self._open(self._open_link), group="open", exit_on_error=False)

    async def _open(self, open_link: OpenLink) -> None:
        try:
            link = await open_link()
        except WhatsSelfError as error:
            self.failure = error
            self.exit(return_code=error.exit_code)
            return
        self.link_changed(link)

    def on_unmount(self) -> None:
        """Let go of the link; closing it is the caller's."""
        self.heartbeat.stop()
        if self._unlisten is not None:
            self._unlisten()

    # The link.

    def link_changed(self, link: RobotLink) -> None:
        """Show another link from now on; the former one is the caller's to close."""
        if self._unlisten is not None:
            self._unlisten()
        self._link = link
        self._situation = None
        self._unlisten = link.listen(self._hear)
        self._had_owner = link.state.owner is not None
        self._read_anew()
        self.show_state()

    def _hear(self, topics: frozenset[Topic]) -> None:
        if not self._changed:
            self.post_message(LinkChanged())
        self._changed |= topics

    def on_link_changed(self) -> None:
        """Hand the changes collected so far to the panes."""
        topics, self._changed = frozenset(self._changed), set()
        has_owner = self._link.state.owner is not None
        if has_owner != self._had_owner:
            self._had_owner = has_owner
            self._tell_about_owner(has_owner)
            self._read_anew()
        for board in self._boards:
            board.tell(topics)
        self.show_state()

    def _read_anew(self) -> None:
        for board in self._boards:
            board.read_anew()

    def _tell_about_owner(self, has_owner: bool) -> None:
        if has_owner:
            self.tell("The robot runs again, in another process.")
            return
        offer = " Press o to run it here." if self.take_over is not None and not self._read_only else ""
        self.tell(f"The process that ran the robot has gone. Nothing is sent now.{offer}", "error")

    def _situation_read(self, situation: Situation) -> None:
        before, self._situation = self._situation, situation
        if before is not None:
            known = {alert.id for alert in before.alerts}
            for alert in situation.alerts:
                if alert.id not in known and alert.acknowledged_at_ms is None:
                    self._tell_alert(alert.text, "error" if alert.severity == "error" else "warning")
        self.show_state()

    def _tell_alert(self, text: str, severity: SeverityLevel) -> None:
        """As a toast, unless it would cover a code that somebody is about to scan."""
        if self.board is self.whatsapp:
            self.dashboard.note(Notice(self._link.now_ms(), text))
        else:
            self.tell(text, severity)

    # Actions.

    @property
    def action_state(self) -> ActionState:
        """What decides which actions make sense now."""
        alerts = self._situation.alerts if self._situation is not None else ()
        board = self.board
        return ActionState(
            paused=self._situation.robot.paused if self._situation is not None else None,
            mode="attached" if self._link.state.mode == "attached" else "owner",
            has_owner=self._link.state.owner is not None,
            read_only=self._read_only,
            may_take_over=self.take_over is not None,
            has_settings_file=self.settings_file is not None,
            unacknowledged=sum(alert.acknowledged_at_ms is None for alert in alerts),
            zoomed=board.is_zoomed,
            on_automation=board is self.automation,
            typing=board.is_typing,
            has_trial=self.automation is not None and bool(self.automation.trial.lines),
            whatsapp=self.whatsapp.action_state if self.whatsapp is not None and board is self.whatsapp else None,
            busy=frozenset(self._busy),
        )

    def action_act(self, action_id: str) -> None:
        """Do what a key, a click or the palette asks for, or say why not."""
        reason = reason_against(find(action_id), self.action_state)
        if reason is not None:
            self.tell(reason, "warning")
            return
        self._busy.add(action_id)
        self.run_worker(self._act(action_id), group=f"act-{action_id}", name=action_id, exit_on_error=False)

    async def action_quit(self) -> None:
        """Textual's own way of quitting is ours."""
        self.action_act("quit")

    def action_help_quit(self) -> None:
        """ctrl+c is no way out here; it names the way out."""
        self.tell("Press q to quit.")

    async def _act(self, action_id: str) -> None:
        try:
            await DEEDS[action_id](self)
        finally:
            self._busy.discard(action_id)
            self.show_state()

    async def carry_out(self, name: str, args: Mapping[str, Any]) -> None:
        """Ask the robot for something, and tell what became of it."""
        result = await self._link.execute(name, args)
        self.tell(result.message, "information" if result.ok else "error")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """An action that failed for a fault of the console is told and does not end it."""
        if event.state == WorkerState.ERROR and event.worker.error is not None:
            error = event.worker.error
            _log.error("action_failed", action=event.worker.name, **harmless(error))
            self.tell(f"That failed because of an error in the console: {type(error).__name__}.", "error")

    def tell(self, text: str, severity: SeverityLevel = "information") -> None:
        """Show a toast, and keep what it said under the alerts."""
        self.notify(visible(text, limit=400), severity=severity, timeout=_TOAST_S, markup=False)
        self.dashboard.note(Notice(self._link.now_ms(), text))

    def set_away(self, is_away: bool) -> None:
        """Another program gets the terminal, or gives it back."""
        self._is_away = is_away
        self.set_heartbeat()
        if not is_away:
            self.board.catch_up()

    def show_state(self) -> None:
        """What can be done has changed."""
        for board in self._boards:
            if board.is_mounted:
                board.show_state(self.action_state)

    def crashed(self, error: BaseException | None) -> RenderableType:
        """What is printed when the console itself fails: no local variables, for they hold messages and numbers."""
        _log.critical("console_crashed", **harmless(error))
        return Text(
            f"The console stopped because of an error in itself: {type(error).__name__}.\n"
            "No message is lost: the queue is in the database. The log file says where it happened."
        )
