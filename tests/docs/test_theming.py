"""The guide to looks names what there is, and what it promises of own files and languages works."""

from __future__ import annotations

import re
from pathlib import Path

from placet.config import read_config
from placet.consent.choice import Fault
from placet.consent.decision import Decision, decide
from placet.web.pages import Pages

from .folder import tutorial_policy
from .pages import DOCS, ROOT, blocks, code, rows

PAGE = DOCS / "guides" / "theming.md"
CLIENT = ROOT / "src" / "placet" / "client"
PROPERTY = re.compile(r"--placet-[a-z-]+")


def own(folder: Path, languages: str = '["en"]', texts: str = "") -> Pages:
    """What a site shows that has the tutorial's policy, and files of its own where the guide says."""
    policy = tutorial_policy(folder)
    (server,) = (block.text for block in blocks(PAGE) if block.language == "toml")
    written = policy.read_text().replace('languages = ["en"]', f"languages = {languages}")
    written = (
        written.replace('text.en = "Your r', 'text.de = "Ihre Liste"\ntext.en = "Your r')
        if texts
        else written
    )
    policy.write_text(f"{written}\n{server}\n{texts}")
    read = read_config(policy, {})
    return Pages(read.policy, templates=read.templates)


def first_visit(pages: Pages) -> Decision:
    return decide(pages._policy, Fault.ABSENT, gpc=False)


def test_the_custom_properties_are_those_that_the_styles_read() -> None:
    styles = (CLIENT / "placet.css").read_text() + (CLIENT / "pages.css").read_text()
    said = {code(name) for name, _ in rows(PAGE, "Colours, type and size")}
    assert said == set(re.findall(r"var\((--placet-[a-z-]+)", styles))
    (example,) = (block.text for block in blocks(PAGE) if block.language == "css")
    assert set(PROPERTY.findall(example)) <= said


def test_the_files_are_those_that_can_be_replaced() -> None:
    said = {code(file) for file, _ in rows(PAGE, "Your own templates")}
    templates = {
        path.name for path in (CLIENT / "templates").iterdir() if not path.name.startswith("inspector")
    }
    assert said == templates | {"placet.css", "pages.css", "placet.js", "receipt.js"}


def test_a_file_of_the_same_name_replaces_ours(tmp_path: Path) -> None:
    (tmp_path / "consent").mkdir()
    (tmp_path / "consent" / "entry.html").write_text("<p id=placet {{ client_data }}>Choices</p>")
    (tmp_path / "consent" / "placet.css").write_text("#placet { color: teal }")
    pages = own(tmp_path)
    assert b"color: teal" in pages.page(first_visit(pages))["en"].head
    assert (
        pages._render("entry.html", "en", client_data="data-state") == "<p id=placet data-state>Choices</p>"
    )


def test_another_language_needs_a_catalogue_and_texts(tmp_path: Path) -> None:
    (tmp_path / "consent" / "locale").mkdir(parents=True)
    (tmp_path / "consent" / "locale" / "de.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "Accept all"\nmsgstr "Alles annehmen"\n'
    )
    texts = """
        [purposes.profiles.text.de]
        title = "Lesegeschichte"
        description = "Was Sie gelesen haben."
        refusal_effect = "Ohne sie bleibt keine Liste."
        [purposes.films.text.de]
        title = "Filme"
        description = "Filme einer anderen Website."
        refusal_effect = "Ohne sie sehen Sie die Filme nicht."
    """
    pages = own(tmp_path, '["en", "de"]', texts)
    settings = pages.settings(first_visit(pages), "de", "/").decode()
    assert "Alles annehmen" in settings
    assert "Refuse all" in settings
    assert "Lesegeschichte" in settings
