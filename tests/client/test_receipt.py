"""The receipt in Chromium: checked before the visitor's eyes, and of use without any script."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from placet.ledger.note import Proof, Signer, format_proof, parse_proof

from .lighthouse import Lighthouse

Visitor = Callable[..., BrowserContext]

STEPS = ("record", "entry", "path", "signature")
SCREENS = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "320": {"viewport": {"width": 320, "height": 568}},
}


def accept(context: BrowserContext, site: Lighthouse) -> Page:
    """Accept everything, and return the page that is open then."""
    page = context.new_page()
    page.goto(site.origin)
    page.click("button[value=accept]")
    page.wait_for_selector(".placet-entry")
    return page


def open_receipt(page: Page, site: Lighthouse, language: str = "fr") -> None:
    """Open the receipt, and stay until its proof is there."""
    page.goto(f"{site.origin}/.placet/receipt?lang={language}")
    page.wait_for_selector("#placet-check", state="attached")


def outcomes(page: Page) -> dict[str, str]:
    page.wait_for_selector("[data-step=all][data-outcome]")
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[data-step]')]"
        ".map(e => [e.dataset.step, e.dataset.outcome]))"
    )  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def holder(browser: Browser, site: Lighthouse) -> Iterator[BrowserContext]:
    """Somebody with a receipt that is proved."""
    context = browser.new_context(locale="fr-FR")
    open_receipt(accept(context, site), site)
    yield context
    context.close()


def checked(
    holder: BrowserContext, site: Lighthouse, change: Callable[[bytes], bytes], file: str
) -> dict[str, str]:
    """How each step goes where one of the files that the page loads is changed on its way."""
    page = holder.new_page()
    open_receipt(page, site)
    address = f"{site.origin}/.placet/{file}"
    true = page.evaluate("async address => (await fetch(address)).text()", address)
    kind = "text/html" if file.startswith("receipt?") else "text/plain"
    page.route(address, lambda route: route.fulfill(body=change(true.encode()), content_type=kind))
    open_receipt(page, site)
    found = outcomes(page)
    page.close()
    return found


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def in_proof(change: Callable[[Proof], Proof]) -> Callable[[bytes], bytes]:
    return lambda data: format_proof(change(parse_proof(data)))


def in_line(number: int, change: Callable[[bytes], bytes]) -> Callable[[Proof], Proof]:
    """Change what is in the last base64 word of a line of the checkpoint."""

    def changed(proof: Proof) -> Proof:
        lines = proof.checkpoint.split(b"\n")
        words = lines[number].split(b" ")
        words[-1] = b64encode(change(b64decode(words[-1])))
        lines[number] = b" ".join(words)
        return Proof(proof.index, proof.path, b"\n".join(lines), proof.extra)

    return changed


def test_every_step_of_a_true_receipt_is_right(holder: BrowserContext, site: Lighthouse) -> None:
    page = holder.new_page()
    open_receipt(page, site)
    assert outcomes(page) == dict.fromkeys((*STEPS, "all"), "yes")
    said = page.locator("#placet-check").inner_text()
    assert said.count("\u202f: oui") == 4
    assert "Tout concorde" in said
    assert page.locator("#placet-check").get_attribute("aria-live") == "polite"
    page.close()


FLIPPED = {
    "record": (lambda p: Proof(p.index, p.path, p.checkpoint, flip(p.extra, 40)), {"record", "entry"}),
    "salt": (lambda p: Proof(p.index, p.path, p.checkpoint, flip(p.extra, 0)), {"entry"}),
    "path": (lambda p: Proof(p.index, (flip(p.path[0], 31), *p.path[1:]), p.checkpoint, p.extra), {"path"}),
    "index": (lambda p: Proof(p.index ^ 1, p.path, p.checkpoint, p.extra), {"path"}),
    "root": (in_line(2, lambda root: flip(root, 0)), {"path", "signature"}),
    "signature": (in_line(-2, lambda line: flip(line, 60)), {"signature"}),
    "key id": (in_line(-2, lambda line: flip(line, 0)), {"signature"}),
}


@pytest.mark.parametrize(("change", "wrong"), FLIPPED.values(), ids=FLIPPED)
def test_one_bit_flipped_fails_the_steps_that_it_concerns_and_no_other(
    holder: BrowserContext, site: Lighthouse, change: Callable[[Proof], Proof], wrong: set[str]
) -> None:
    found = checked(holder, site, in_proof(change), "receipt.tlog-proof")
    assert found == {step: "no" if step in {*wrong, "all"} else "yes" for step in (*STEPS, "all")}


def test_a_file_that_is_no_proof_proves_nothing(holder: BrowserContext, site: Lighthouse) -> None:
    found = checked(holder, site, lambda data: flip(data, 0), "receipt.tlog-proof")
    assert found == dict.fromkeys((*STEPS, "all"), "no")


def test_another_logs_key_fails_the_signature_alone(holder: BrowserContext, site: Lighthouse) -> None:
    other = f"log {Signer('phare.localhost/.placet/log', bytes(32)).verifier}\n".encode()
    found = checked(holder, site, lambda _: other, "log/policy")
    assert found == {step: "no" if step in ("signature", "all") else "yes" for step in (*STEPS, "all")}


def test_a_record_that_the_page_shows_otherwise_than_it_was_proved_is_found(
    holder: BrowserContext, site: Lighthouse
) -> None:
    def changed(page: bytes) -> bytes:
        return page.replace(b"&#34;ads&#34;:&#34;granted", b"&#34;ads&#34;:&#34;denied")

    found = checked(holder, site, changed, "receipt?lang=fr")
    assert found == {step: "no" if step in ("record", "all") else "yes" for step in (*STEPS, "all")}


def test_a_browser_without_ed25519_says_that_it_cannot_check_the_signature(
    holder: BrowserContext, site: Lighthouse
) -> None:
    page = holder.new_page()
    page.add_init_script(
        "crypto.subtle.importKey = () => Promise.reject(new DOMException('', 'NotSupportedError'))"
    )
    open_receipt(page, site)
    assert outcomes(page) == dict.fromkeys(("record", "entry", "path"), "yes") | dict.fromkeys(
        ("signature", "all"), "unknown"
    )
    assert "n’a pas pu être vérifié dans ce navigateur" in page.locator("#placet-check").inner_text()
    page.close()


@pytest.mark.parametrize("file", ["receipt.tlog-proof", "log/policy"])
def test_without_its_files_nothing_is_said_to_be_right_or_wrong(
    holder: BrowserContext, site: Lighthouse, file: str
) -> None:
    page = holder.new_page()
    page.route(f"**/{file}", lambda route: route.fulfill(status=503))
    open_receipt(page, site)
    assert outcomes(page) == dict.fromkeys((*STEPS, "all"), "unknown")
    page.close()


def test_the_module_is_loaded_on_the_receipts_page_alone(holder: BrowserContext, site: Lighthouse) -> None:
    page = holder.new_page()
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    for path in ("/", "/.placet/settings", "/.placet/cookies"):
        page.goto(site.origin + path)
    assert not [address for address in loaded if "/receipt." in address]
    open_receipt(page, site)
    outcomes(page)
    assert [address for address in loaded if "/receipt." in address and address.endswith(".js")]
    page.close()


def test_the_proof_comes_by_itself_and_without_javascript(visitor: Visitor, site: Lighthouse) -> None:
    page = accept(visitor(java_script_enabled=False), site)
    page.click(".placet-entry a")
    page.get_by_role("link", name="Mon reçu").click()
    page.get_by_role("link", name="la preuve", exact=True).wait_for()
    assert not page.locator("#placet-check").is_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="la preuve", exact=True).click()
    assert parse_proof(download.value.path().read_bytes()).extra
    page.locator("summary").click()
    assert '"event":"granted"' in page.locator("#placet-record").inner_text()
    page.get_by_role("button", name="Tout refuser").click()
    page.goto(f"{site.origin}/.placet/receipt")
    assert "Un refus ne laisse aucun numéro" in page.locator("main").inner_text()


def test_refusing_from_the_receipt_deletes_what_was_allowed_and_nothing_else(
    visitor: Visitor, site: Lighthouse
) -> None:
    page = accept(visitor(), site)
    page.wait_for_function("localStorage.getItem('ad:2') && localStorage.getItem('panier')")
    page.goto(f"{site.origin}/.placet/receipt")
    page.get_by_role("button", name="Tout refuser").click()
    page.wait_for_selector(".placet-entry [data-stands=refused]")
    kept = page.evaluate("Object.keys(localStorage)")
    assert "panier" in kept
    assert not [key for key in kept if key.startswith("ad:")]


def test_the_notice_as_it_was_opens_and_its_buttons_do_nothing(
    holder: BrowserContext, site: Lighthouse
) -> None:
    page = holder.new_page()
    asked: list[str] = []
    page.goto(f"{site.origin}/.placet/receipt/notice")
    page.on("request", lambda request: asked.append(request.url))
    assert page.get_by_role("button", name="Tout refuser").is_visible()
    page.locator("summary").click()
    page.get_by_role("button", name="Tout refuser").click()
    assert page.url.endswith("/receipt/notice")
    assert asked == []
    page.close()


def test_everything_on_it_is_reached_by_keyboard(holder: BrowserContext, site: Lighthouse) -> None:
    page = holder.new_page()
    open_receipt(page, site)
    outcomes(page)
    reached: list[str] = []
    while not reached or reached[-1] != "Politique de confidentialité":
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", reached[-1]
        assert len(reached) < 30
    wanted = ["le bandeau, tel qu’il était affiché", "Paramétrer vos choix", "Tout refuser"]
    wanted += ["le reçu, sous forme de données", "la preuve", "L’enregistrement, mot pour mot"]
    assert [each for each in reached if each in wanted] == wanted
    page.close()


@pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_it_fits_the_screen(
    visitor: Visitor, site: Lighthouse, screen: dict[str, Any], language: str
) -> None:
    page = accept(visitor(**screen), site)
    open_receipt(page, site, language)
    outcomes(page)
    page.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"]
    assert page.locator("#placet-record").evaluate("e => e.scrollWidth <= e.clientWidth")
    assert page.locator("details").evaluate("e => e.scrollHeight <= e.clientHeight")  # nothing is cut off
    button = page.get_by_role(
        "button", name="Tout refuser" if language == "fr" else "Refuse all"
    ).bounding_box()
    assert button
    assert button["height"] >= 44


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_axe_finds_nothing_on_it(
    visitor: Visitor, site: Lighthouse, axe: str, language: str, scheme: str
) -> None:
    context = visitor(color_scheme=scheme, locale=language)
    found: dict[str, list[Any]] = {}

    def check(page: Page, name: str) -> None:
        page.evaluate(axe)
        result = page.evaluate("axe.run({resultTypes: ['violations']})")
        found[name] = [
            (each["id"], [node["html"] for node in each["nodes"]]) for each in result["violations"]
        ]

    page = context.new_page()
    page.goto(f"{site.origin}/.placet/receipt?lang={language}")
    check(page, "none")
    page.close()
    page = accept(context, site)
    page.goto(f"{site.origin}/.placet/settings?lang={language}")
    check(page, "settings")
    page.goto(f"{site.origin}/.placet/receipt?lang={language}")
    open_receipt(page, site, language)
    assert page.locator("html").get_attribute("lang") == language
    outcomes(page)
    page.locator("summary").click()
    check(page, "receipt")
    page.route("**/log/policy", lambda route: route.fulfill(body=b"log nothing\n"))
    open_receipt(page, site, language)
    assert outcomes(page)["all"] == "no"
    check(page, "receipt that is not right")
    assert found == {name: [] for name in found}
