"""What a visitor said, to and from the consent cookie (R39, R42, R43)."""

from __future__ import annotations

import string
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.consent.choice import DAY, LIFE, Choice, Fault, Keys, format_choice, parse_choice

from .given import DAY_NUMBER, HOST, NOW, POLICY, SECRETS, choice, keys

KEYS = keys()
GRANT = format_choice(choice("ads", "social"), KEYS)
REFUSAL = format_choice(choice(), KEYS)
LETTERS = string.ascii_letters + string.digits + "-_"

marks = st.text(LETTERS, min_size=6, max_size=6)
choices = st.builds(
    Choice,
    policy=st.text(LETTERS, min_size=8, max_size=8),
    day=st.integers(DAY_NUMBER - LIFE, DAY_NUMBER),
    said=st.dictionaries(marks, st.booleans(), max_size=64).map(lambda said: frozenset(said.items())),
    gpc=st.booleans(),
    receipt=st.none() | st.text(LETTERS, min_size=22, max_size=22),
)


@given(choices)
def test_a_choice_reads_back_as_it_was_said(said: Choice) -> None:
    assert parse_choice(format_choice(said, KEYS), KEYS, NOW) == said


@given(choices)
def test_the_cookie_is_of_letters_that_a_cookie_may_have(said: Choice) -> None:
    assert set(format_choice(said, KEYS)) <= {*LETTERS, "."}


@pytest.mark.parametrize("value", [GRANT, REFUSAL], ids=["grant", "refusal"])
def test_every_single_bit_changed_is_refused(value: str) -> None:
    data = value.encode()
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            found = parse_choice(changed.decode("latin-1"), KEYS, NOW)
            assert found in (Fault.FORGED, Fault.UNREADABLE), (at, bit)


@pytest.mark.parametrize("value", [GRANT, REFUSAL], ids=["grant", "refusal"])
def test_every_character_taken_out_put_in_or_replaced_is_refused(value: str) -> None:
    for at in range(len(value)):
        others = [value[:at] + value[at + 1 :], value[:at] + "A" + value[at:]]
        others += [value[:at] + letter + value[at + 1 :] for letter in LETTERS + ".=" if letter != value[at]]
        for other in others:
            assert parse_choice(other, KEYS, NOW) in (Fault.FORGED, Fault.UNREADABLE), other


@pytest.mark.parametrize(
    "value",
    ["", ".", "granted", GRANT + "\n", " " + GRANT, GRANT + ".", GRANT + GRANT, GRANT[:-1], "2" + GRANT[1:]],
)
def test_what_has_another_shape_is_unreadable(value: str) -> None:
    assert parse_choice(value, KEYS, NOW) is Fault.UNREADABLE


def test_digits_of_other_scripts_are_unreadable() -> None:
    assert parse_choice(GRANT.replace(str(DAY_NUMBER), "٢٠٧٨١"), KEYS, NOW) is Fault.UNREADABLE


@given(st.text() | st.text(LETTERS + ".", max_size=200))
@settings(max_examples=300)
def test_any_text_is_a_choice_or_a_fault_and_never_an_exception(value: str) -> None:
    assert isinstance(parse_choice(value, KEYS, NOW), Choice | Fault)


@given(st.binary().map(lambda data: data.decode("latin-1")), st.integers(0, len(GRANT)))
def test_any_bytes_spliced_into_a_choice_are_a_fault(junk: str, at: int) -> None:
    value = GRANT[:at] + junk + GRANT[at:]
    assert isinstance(parse_choice(value, KEYS, NOW), Fault) is (junk != "")


class TestKeys:
    def test_the_newest_signs(self) -> None:
        assert format_choice(choice(), KEYS) == format_choice(choice(), keys(SECRETS[1]))
        assert format_choice(choice(), KEYS) != format_choice(choice(), keys(SECRETS[0]))

    def test_an_older_one_still_verifies(self) -> None:
        old = format_choice(choice("ads"), keys(SECRETS[0]))
        assert parse_choice(old, KEYS, NOW) == choice("ads")

    def test_one_that_is_dropped_does_not(self) -> None:
        assert parse_choice(GRANT, keys(SECRETS[0]), NOW) is Fault.FORGED

    @pytest.mark.parametrize(
        "context",
        [("__Http-placet", HOST), (POLICY.cookie_name, "other.test"), ("__Host-place", "t" + HOST)],
    )
    def test_a_choice_made_for_another_cookie_or_site_is_forged(self, context: tuple[str, str]) -> None:
        assert parse_choice(GRANT, Keys(SECRETS, *context), NOW) is Fault.FORGED

    def test_a_choice_of_another_format_version_is_unreadable_or_forged(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("placet.consent.choice.VERSION", "2")
        later = format_choice(choice("ads"), keys())
        monkeypatch.undo()
        assert parse_choice(later, KEYS, NOW) is Fault.UNREADABLE
        assert parse_choice("1" + later[1:], KEYS, NOW) is Fault.FORGED

    @pytest.mark.parametrize("secrets", [[], [b"short"], [b"l" * 32, b"s" * 15]])
    def test_no_secret_or_a_short_one_is_refused_at_start_up(self, secrets: list[bytes]) -> None:
        with pytest.raises(ValueError, match="at least 16 bytes"):
            Keys(secrets, POLICY.cookie_name, HOST)

    def test_the_secret_itself_signs_nothing(self) -> None:
        import hmac

        body, _, mac = GRANT.rpartition(".")
        plain = urlsafe_b64encode(hmac.digest(SECRETS[1], body.encode(), "sha256")[:16])[:22].decode()
        assert mac != plain


class TestTime:
    @pytest.mark.parametrize(
        ("age", "expected"),
        [(0, None), (1, None), (LIFE, None), (LIFE + 1, Fault.EXPIRED), (-1, None), (-2, Fault.EXPIRED)],
    )
    def test_a_choice_holds_for_182_days_and_not_from_the_day_after_tomorrow(
        self, age: int, expected: Fault | None
    ) -> None:
        found = parse_choice(GRANT, KEYS, (DAY_NUMBER + age) * DAY)
        assert (found if isinstance(found, Fault) else None) is expected

    def test_it_ends_with_the_day_and_not_within_it(self) -> None:
        last = (DAY_NUMBER + LIFE + 1) * DAY - 1
        assert parse_choice(GRANT, KEYS, last) == choice("ads", "social")
        assert parse_choice(GRANT, KEYS, last + 1) is Fault.EXPIRED

    def test_a_forged_choice_is_forged_before_it_is_expired(self) -> None:
        assert parse_choice(GRANT, keys(b"x" * 32), NOW + 999 * DAY) is Fault.FORGED


class TestWhatItCarries:
    def test_a_refusal_carries_no_identifier(self) -> None:
        one = format_choice(choice(day=DAY_NUMBER), keys())
        other = format_choice(choice(day=(NOW + 3_600) // DAY), keys())
        assert one == other
        assert one.split(".")[4] == ""

    def test_a_grant_carries_its_receipt_and_nothing_else_that_is_random(self) -> None:
        assert GRANT.split(".")[4] == "r" * 22
        assert format_choice(choice("social", "ads"), keys()) == GRANT

    def test_it_keeps_whether_the_signal_was_on(self) -> None:
        said = parse_choice(format_choice(choice(gpc=True), KEYS), KEYS, NOW)
        assert isinstance(said, Choice)
        assert said.gpc

    def test_with_64_purposes_it_fits_a_cookie(self) -> None:
        said = frozenset((f"{number:06}", True) for number in range(64))
        value = format_choice(Choice("p" * 8, DAY_NUMBER, said, True, "r" * 22), KEYS)
        assert len(f"{POLICY.cookie_name}={value}; Max-Age=15724800; Path=/; Secure; HttpOnly") < 4_096 / 4
        assert parse_choice(value, KEYS, NOW) == Choice("p" * 8, DAY_NUMBER, said, True, "r" * 22)
