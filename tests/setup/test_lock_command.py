"""`start.py lock`, with a resolver that only pretends."""

from __future__ import annotations

from support.launching import Sandbox

SOUND = "answer==1 \\\n    --hash=sha256:" + 64 * "a"


def locks(sandbox: Sandbox) -> list[str]:
    """The texts of both lock files."""
    return [(sandbox.root / name).read_text("utf-8") for name in ("requirements.lock", "requirements-dev.lock")]


def test_both_locks_are_resolved_for_every_platform_from_the_registry_alone(sandbox: Sandbox) -> None:
    first_lines = [text.splitlines()[0] for text in locks(sandbox)]
    result = sandbox.start("lock", "--upgrade", RESOLVED=SOUND, UV_FIND_LINKS="/wheels")
    assert result.returncode == 0, result.stderr
    run, dev = sandbox.calls()
    for call in (run, dev):
        assert {"--universal", "--generate-hashes", "--no-emit-index-url", "--upgrade"} <= set(call)
    assert dev[dev.index("--extra") + 1] == "dev"
    assert dev[dev.index("--constraint") + 1] == "requirements.lock"
    for text, first_line in zip(locks(sandbox), first_lines, strict=True):
        assert text.startswith(SOUND)
        assert "# input flit_core" in text
        assert "# settings None" in text
        assert f"# before {first_line}" in text


def test_unsound_resolution_changes_nothing(sandbox: Sandbox) -> None:
    before = locks(sandbox)
    result = sandbox.start("lock", RESOLVED="answer @ file:///wheels/answer.whl")
    assert result.returncode == 1
    assert "requirements.lock was left as it was" in result.stderr
    assert locks(sandbox) == before
    assert not list(sandbox.root.glob("*.new"))


def test_failing_resolution_changes_nothing(sandbox: Sandbox) -> None:
    before = locks(sandbox)
    result = sandbox.start("lock", UV_DOES="fail_to_resolve")
    assert (result.returncode, result.stderr) == (1, "start.py: uv could not resolve requirements.lock (see above).\n")
    assert locks(sandbox) == before
    assert not list(sandbox.root.glob("*.new"))


def test_without_uv_it_says_what_to_install(sandbox: Sandbox) -> None:
    (sandbox.programs / "uv").unlink()
    result = sandbox.start("lock")
    assert (result.returncode, result.stderr) == (1, "start.py: `lock` needs uv on the PATH: `pip install uv`.\n")
