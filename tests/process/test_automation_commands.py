"""`automation check|show|export|import` through the real command line."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

from support.cli import FAST, cli, cli_json, headless, received, settings
from support.config_room import GOOD_AUTOMATION
from support.waiting import until

SHOP = """\
# our shop
[[template]]
name = "menu"
text = "1 ou 2?"
[[template]]
name = "tchau"
text = "Até logo!"
[[trigger]]
name = "oi"
equals = "oi"   # says hello
flow = "menu"
[[flow]]
name = "menu"
[[flow.step]]
name = "escolha"
ask = "menu"
answers = { "1" = "fim", "2" = "pessoa" }
[[flow.step]]
name = "fim"
end = "tchau"
[[flow.step]]
name = "pessoa"
handover = true
"""

PACKAGE = {
    "format": "whatsself-automation",
    "version": 1,
    "template": [{"name": "menu", "text": "um ou dois?"}, {"name": "novo", "text": "Novo!"}],
    "trigger": [{"name": "novo", "equals": "novo", "template": "novo"}],
}


def folder(data: Path, automation: str = SHOP) -> Path:
    """A data folder with files and nothing else; returns automation.toml."""
    settings(data, FAST)
    file = data / "config" / "automation.toml"
    file.write_text(automation, encoding="utf-8")
    return file


def package(data: Path, content: object = PACKAGE) -> str:
    file = data / "package.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


def test_a_check_tells_mistakes_and_warnings_with_their_lines(tmp_path: Path) -> None:
    folder(
        tmp_path, SHOP.replace("handover = true", 'handover = "pesoa"') + '[[template]]\nname = "x"\ntext = "{{nme}}"\n'
    )
    done = cli(tmp_path, "automation", "check", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["ok"]) == (2, False)
    assert [(problem["line"], problem["field"]) for problem in answer["problems"]] == [
        (23, "flow[0].step[2].handover"),
        (26, "template[2].text"),
    ]
    folder(tmp_path, SHOP + '[[trigger]]\nname = "olá"\nequals = "OI!"\ntemplate = "menu"\n')
    done = cli(tmp_path, "automation", "check")
    assert (done.returncode, done.stderr.decode().strip()) == (0, "Both files are right. 1 warning.")
    assert done.stdout.decode().startswith("warning: automation.toml:10: trigger[0].equals")


def test_a_check_without_a_folder_makes_none(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert cli(data, "automation", "check").returncode == 0
    assert not data.exists()


def test_a_flow_is_shown_as_a_tree(tmp_path: Path) -> None:
    folder(tmp_path)
    tree = cli(tmp_path, "automation", "show", "menu").stdout.decode()
    assert tree.splitlines()[:4] == [
        "Flow menu, started by trigger oi",
        'escolha: ask "1 ou 2?" (3 tries, 1440 min)',
        '├─ 1 → fim: end "Até logo!"',
        "└─ 2 → pessoa: handover",
    ]
    overview = cli_json(tmp_path, "automation", "show")
    assert [trigger["name"] for trigger in overview["triggers"]] == ["oi"]
    assert overview["flows"][0]["steps"][0]["answers"] == {"1": "fim", "2": "pessoa"}
    unknown = cli(tmp_path, "automation", "show", "meno\x1b[2J")
    assert unknown.returncode == 2
    assert "Nearest are menu" in unknown.stderr.decode()
    assert b"\x1b" not in unknown.stderr


def test_an_export_comes_back_into_an_empty_folder(tmp_path: Path) -> None:
    folder(tmp_path / "a")
    exported = cli(tmp_path / "a", "automation", "export").stdout
    other = folder(tmp_path / "b", GOOD_AUTOMATION)
    assert cli(tmp_path / "b", "automation", "import", "-", "--replace", stdin=exported).returncode == 0
    assert cli(tmp_path / "b", "automation", "export").stdout == exported
    assert 'name = "oi"' in other.read_text(encoding="utf-8")


def test_a_dry_run_tells_name_by_name_and_writes_nothing(tmp_path: Path) -> None:
    file = folder(tmp_path)
    answer = cli_json(tmp_path, "automation", "import", package(tmp_path), "--dry-run", "--replace")
    told = {(entry["kind"], entry["name"]): (entry["what"], entry["keys"]) for entry in answer["entries"]}
    assert told == {
        ("template", "menu"): ("changed", ["text"]),
        ("template", "novo"): ("added", []),
        ("template", "tchau"): ("removed", []),
        ("trigger", "novo"): ("added", []),
        ("trigger", "oi"): ("removed", []),
        ("flow", "menu"): ("removed", []),
    }
    assert (answer["dry_run"], answer["written"]) == (True, False)
    assert file.read_text(encoding="utf-8") == SHOP
    assert [entry.name for entry in file.parent.iterdir() if "bak" in entry.name] == []


def test_an_import_keeps_a_copy_and_the_comments(tmp_path: Path) -> None:
    file = folder(tmp_path)
    done = cli(tmp_path, "automation", "import", package(tmp_path))
    assert done.returncode == 0, done.stderr.decode()
    (copy,) = file.parent.glob("automation.toml.bak-*")
    assert copy.read_text(encoding="utf-8") == SHOP
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# our shop\n[[template]]\n")
    assert 'equals = "oi"   # says hello' in text
    assert 'text = "um ou dois?"' in text
    assert "= 3 more in the file stay as they are" in done.stdout.decode()
    again = cli(tmp_path, "automation", "import", package(tmp_path))
    assert "Nothing to change." in again.stdout.decode()
    assert len(list(file.parent.glob("automation.toml.bak-*"))) == 1


def test_what_would_be_wrong_afterwards_is_refused_with_its_name(tmp_path: Path) -> None:
    file = folder(tmp_path)
    bad = {**PACKAGE, "template": [{"name": "novo", "text": "{{x}}"}]}
    done = cli(tmp_path, "automation", "import", package(tmp_path, bad))
    assert done.returncode == 2
    assert 'package.json: template "novo".text: unknown placeholder {{x}}' in done.stdout.decode()
    shadowed = {**PACKAGE, "trigger": [{"name": "novo", "equals": "Sair!", "template": "novo"}]}
    done = cli(tmp_path, "automation", "import", package(tmp_path, shadowed))
    assert done.returncode == 2
    assert "it is an opt-out keyword" in done.stdout.decode()
    removed = {"format": "whatsself-automation", "version": 1, "trigger": PACKAGE["trigger"]}
    assert cli(tmp_path, "automation", "import", package(tmp_path, removed), "--replace").returncode == 2
    assert file.read_text(encoding="utf-8") == SHOP


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    folder(tmp_path)
    done = cli(tmp_path, "automation", "import", "-", "--json", stdin=b"not json \x1b[2J")
    assert done.returncode == 2
    assert "stdin cannot be imported: it is no JSON" in json.loads(done.stdout)["message"]
    assert cli(tmp_path, "automation", "import", str(tmp_path / "missing.json")).returncode == 2


def test_a_package_of_the_predecessor_is_taken_over_and_what_is_not_is_told(tmp_path: Path) -> None:
    file = folder(tmp_path, GOOD_AUTOMATION)
    old = {
        "metadata": {"name": "Vendas"},
        "templates": [{"id": "t", "key": "preco", "content": "R$ 10 em {{cidade}}"}],
        "flows": [],
        "triggers": [{"id": "g", "type": "contains", "pattern": "preço", "priority": 500, "templateRef": "t"}],
    }
    done = cli(tmp_path, "automation", "import", package(tmp_path, old))
    assert done.returncode == 0
    told = done.stdout.decode()
    assert '+ trigger "g" added' in told
    assert "{{cidade}} is unknown here" in told
    assert "priority became 100" in told
    assert 'contains = "preço"' in file.read_text(encoding="utf-8")


def test_a_running_robot_answers_by_what_was_imported(tmp_path: Path) -> None:
    folder(tmp_path)
    customers = (str(5511999990000 + number) for number in count())

    def answered() -> bool:
        """Somebody else writes each time: what comes before the import is in force is not answered."""
        assert cli(tmp_path, "receive", next(customers), "novo").returncode == 0
        return "Novo!" in [message["text"] for message in received(tmp_path)]

    with headless(tmp_path):
        assert cli(tmp_path, "automation", "import", package(tmp_path)).returncode == 0
        until(answered)
