"""How a message reads in a list: a medium has a marker, so that one without a caption is no empty line."""

from __future__ import annotations

import json


def with_medium(body: str, kind: str, file_name: str) -> str:
    """`[image] photo.jpg: caption`, as much of it as there is; a text is shown as it is."""
    if kind == "text":
        return body
    marker = f"[{kind}] {file_name}" if file_name else f"[{kind}]"
    return f"{marker}{':' if file_name else ''} {body}" if body else marker


def with_attachment(body: str, attachment: str | None) -> str:
    """The same for a message of the outbox, from its column `attachment`."""
    if attachment is None:
        return body
    file = json.loads(attachment)
    return with_medium(body, file["kind"], file["name"])
