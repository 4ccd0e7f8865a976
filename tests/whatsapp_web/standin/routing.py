"""The stand-in inside a browser that the test drives: every request is answered here, or refused and noted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Route
from whatsapp_web.standin.backend import Backend

ORIGIN = "https://web.whatsapp.com/"


async def serve(context: BrowserContext, server: Backend | Callable[[], Backend]) -> None:
    """From now on the context sees WhatsApp Web in `server`, and nothing else of the network.

    A function is asked at each request, so that another server may take over in the same browser.
    """

    async def answer(route: Route) -> None:
        request = route.request
        now = server if isinstance(server, Backend) else server()
        if not request.url.startswith(ORIGIN):
            now.foreign_requests.append(request.url)
            await route.abort()
            return
        response = now.respond(request.method, urlsplit(request.url).path, request.post_data_buffer or b"")
        await route.fulfill(status=response.status, headers=response.headers, body=response.body)

    await context.route("**/*", answer)


async def until(server: Backend, condition: Callable[[], object], patience_s: float = 20.0) -> None:
    """Return once `condition` holds, looked at whenever something happened; AssertionError after the patience."""
    loop = asyncio.get_running_loop()
    happened = asyncio.Event()

    def tell() -> None:
        loop.call_soon_threadsafe(happened.set)

    server.on_change.append(tell)
    try:
        async with asyncio.timeout(patience_s):
            while not condition():
                await happened.wait()
                happened.clear()
    except TimeoutError:
        raise AssertionError("the condition never held") from None
    finally:
        server.on_change.remove(tell)
