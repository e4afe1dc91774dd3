"""The operator's file and the secrets beside it: what is wrong is told by number, at start-up."""

from __future__ import annotations

import multiprocessing
import os
import stat
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any

import pytest

from placet.config import SECRET_BYTES, Retention, read_config, read_secrets, read_signer
from placet.consent.choice import LIFE, Keys
from placet.consent.policyfile import seconds
from placet.errors import PolicyError, SetupError
from placet.ledger.note import COSIGNATURE, Signer, Verifier, format_signer, parse_signer

PATIENCE = 60  # seconds after which something that should have happened is taken for lost

SITE = """
[site]
name = "La Gazette"
controller = "La Gazette SARL"
contact = "vie-privee@gazette.test"
privacy_policy = "/confidentialite"
hosts = ["www.gazette.test"]
languages = ["en"]
updated = "2026-11-24"

[purposes.ads]
basis = "consent"
text.en = { title = "Ads", description = "Choosing ads.", refusal_effect = "No tracking." }
"""


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "placet.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


class TestFile:
    def test_it_is_a_checked_policy_with_where_and_how_it_is_served(self, tmp_path: Path) -> None:
        found = read_config(written(tmp_path, SITE), {})
        assert found.policy.site.hosts == ("www.gazette.test",)
        assert found.server.prefix == "/.placet/"
        assert not found.server.debug
        assert found.data == tmp_path / "placet-data"
        assert (found.templates, found.source) == (None, "placet.toml")

    def test_the_server_table_says_otherwise(self, tmp_path: Path) -> None:
        server = '\n[server]\nprefix = "/consent/"\ndata = "kept"\ntemplates = "ours"\ndebug = true\n'
        found = read_config(str(written(tmp_path, SITE + server)), {})
        assert (found.server.prefix, found.server.debug) == ("/consent/", True)
        assert (found.data, found.templates) == (tmp_path / "kept", tmp_path / "ours")

    def test_what_is_only_observed_is_a_purpose_of_the_policy(self, tmp_path: Path) -> None:
        server = '\n[server.observing]\npurposes = ["ads"%s]\n'
        found = read_config(written(tmp_path, SITE + server % ""), {})
        assert found.server.observing is not None
        assert found.server.observing.purposes == ("ads",)
        with pytest.raises(PolicyError, match=r'P023 .*"adds", which is no purpose; write one of ads\.'):
            read_config(written(tmp_path, SITE + server % ', "adds"'), {})

    def test_the_environment_says_where_data_is(self, tmp_path: Path) -> None:
        path = written(tmp_path, SITE)
        assert read_config(path, {"PLACET_DATA": "/var/lib/x"}).data == Path("/var/lib/x")
        assert read_config(path, {"PLACET_DATA": ""}).data == tmp_path / "placet-data"

    def test_s001_there_is_no_such_file(self, tmp_path: Path) -> None:
        for path in (tmp_path / "none.toml", tmp_path):
            with pytest.raises(
                SetupError, match=r"^S001 .*: cannot be read \(.*\); name your policy file\.$"
            ):
                read_config(path, {})

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (b"name = '\xe9'", "P001 placet.toml: is not UTF-8 text (invalid continuation byte)."),
            ("[site", "P001 placet.toml: is not TOML: "),
            (
                SITE + "\n[server]\nport = 1\n",
                "P001 placet.toml: in [server]: Object contains unknown field `port`",
            ),
            (
                SITE + '\n[server]\nprefix = "/"\n',
                "P001 placet.toml: in [server]: Expected `str` matching regex",
            ),
            (
                SITE + '\n[server]\nprefix = "/a b/"\n',
                "P001 placet.toml: in [server]: Expected `str` matching regex",
            ),
            ("server = 1\n" + SITE, "P001 placet.toml: in [server]: Expected `object`, got `int`"),
            (SITE.replace('"2026-11-24"', "2026-11-24"), "P001 placet.toml: Expected `str`, got `date`"),
            (SITE + "\n[purposse]\n", "P001 placet.toml: Object contains unknown field `purposse`"),
            (SITE.replace('["www.gazette.test"]', "[]"), "P010 placet.toml: site.hosts is empty"),
        ],
    )
    def test_what_is_wrong_in_it_is_told_by_number(
        self, tmp_path: Path, text: str | bytes, message: str
    ) -> None:
        with pytest.raises(PolicyError) as raised:
            read_config(written(tmp_path, text), {})
        (problem,) = raised.value.problems
        assert problem.startswith(message)


WITNESS = str(Verifier("witness.test/w1", COSIGNATURE, b"w" * 32))


class TestLedger:
    def test_it_is_a_file_in_the_data_directory(self, tmp_path: Path) -> None:
        path = written(tmp_path, SITE + '\n[server]\nledger = "log.db"\n')
        assert read_config(path, {}).ledger == tmp_path / "placet-data" / "log.db"
        assert read_config(path, {"PLACET_DATA": "/d"}).ledger == Path("/d/log.db")

    def test_or_a_database_and_the_environment_goes_before_the_file(self, tmp_path: Path) -> None:
        path = written(tmp_path, SITE + '\n[server]\nledger = "postgresql://db.test/placet"\n')
        assert read_config(path, {}).ledger == "postgresql://db.test/placet"
        address = "postgresql://placet:word@db.test/placet"
        assert read_config(path, {"PLACET_LEDGER": address}).ledger == address
        assert read_config(path, {"PLACET_LEDGER": "other.db"}).ledger == tmp_path / "placet-data/other.db"

    @pytest.mark.parametrize(
        "address",
        ["postgresql://u:hunter2@db.test/p", "postgres://:hunter2@/p", "postgresql:///p?password=hunter2"],
    )
    def test_s008_no_password_lies_in_the_policy_file(self, tmp_path: Path, address: str) -> None:
        path = written(tmp_path, SITE + f'\n[server]\nledger = "{address}"\n')
        with pytest.raises(SetupError, match=r"^S008 placet\.toml: .*PGPASSFILE.*PLACET_LEDGER") as raised:
            read_config(path, {})
        assert "hunter2" not in str(raised.value)

    @pytest.mark.parametrize("address", ["mysql://u:hunter2@db/p", "postgresql://[u:hunter2@db", "https://x"])
    def test_s009_it_is_neither(self, tmp_path: Path, address: str) -> None:
        path = written(tmp_path, SITE + f'\n[server]\nledger = "{address}"\n')
        for environ, where in (({}, r"placet\.toml"), ({"PLACET_LEDGER": address}, "PLACET_LEDGER")):
            with pytest.raises(SetupError, match=f"^S009 {where}: ") as raised:
                read_config(path, environ)
            assert "hunter2" not in str(raised.value)

    def test_nobody_is_told_the_address_by_printing_the_settings(self, tmp_path: Path) -> None:
        address = "postgresql://u:hunter2@db.test/p"
        assert "hunter2" not in repr(read_config(written(tmp_path, SITE), {"PLACET_LEDGER": address}))

    def test_the_files_bytes_are_kept_for_publishing(self, tmp_path: Path) -> None:
        text = SITE.replace("La Gazette SARL", "La Gazette\u00a0SARL").replace("\n", "\r\n")
        path = written(tmp_path, text.encode())
        assert read_config(path, {}).text == path.read_bytes()


class TestLog:
    def test_it_is_named_for_where_it_is(self, tmp_path: Path) -> None:
        found = read_config(written(tmp_path, SITE), {})
        assert found.origin == "www.gazette.test/.placet/log"
        assert found.published == tmp_path / "placet-data" / "log"
        assert (found.log.interval, found.log.witnesses, found.log.timestamp) == (1.0, (), None)
        moved = SITE.replace("www.gazette.test", "gazette.test") + '\n[server]\nprefix = "/consent/"\n'
        assert read_config(written(tmp_path, moved), {}).origin == "gazette.test/consent/log"
        kept = moved + '\n[log]\norigin = "www.gazette.test/.placet/log"\ninterval = 0.5\n'
        found = read_config(written(tmp_path, kept), {})
        assert (found.origin, found.log.interval) == ("www.gazette.test/.placet/log", 0.5)

    def test_others_see_it_and_say_when(self, tmp_path: Path) -> None:
        text = f"""
[log]
quorum = 1
[[log.witnesses]]
url = "https://witness.test"
key = "{WITNESS}"
[log.timestamp]
url = "https://stamps.test/tsa"
every = "6 hours"
ca = "tsa.pem"
"""
        found = read_config(written(tmp_path, SITE + text), {})
        assert [witness.key for witness in found.log.witnesses] == [WITNESS]
        assert found.log.timestamp
        assert (found.log.timestamp.every, found.authority) == ("6 hours", tmp_path / "tsa.pem")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("interval = 2.0", "P001 placet.toml: in [log]: Expected `float` <= 1.0"),
            ("interval = 0", "P001 placet.toml: in [log]: Expected `float` >= 0.05"),
            ('origin = "a log"', "P001 placet.toml: in [log]: Expected `str` matching regex"),
            ('origin = "a+b"', "P001 placet.toml: in [log]: Expected `str` matching regex"),
            ('origins = "a"', "P001 placet.toml: in [log]: Object contains unknown field `origins`"),
            ('[log.timestamp]\nurl = "tsa"', "P001 placet.toml: in [log]: Expected `str` matching regex"),
            (
                '[log.timestamp]\nurl = "http://t"\nevery = "session"',
                "P001 placet.toml: in [log]: Expected `str` matching regex",
            ),
            (
                '[[log.witnesses]]\nurl = "http://w"\nkey = "w+00000000+AAAA"',
                "P020 placet.toml: in [log]: the key of witness 1 cannot be read: ",
            ),
            (
                f'[[log.witnesses]]\nurl = "http://w"\nkey = "{Signer("w", b"k" * 32).verifier}"',
                "P020 placet.toml: in [log]: the key of witness 1 is not a cosigner's.",
            ),
            ("quorum = 1", "P021 placet.toml: in [log]: the quorum is 1, of 0 witnesses"),
        ],
    )
    def test_what_is_wrong_is_told_by_number(self, tmp_path: Path, text: str, message: str) -> None:
        with pytest.raises(PolicyError) as raised:
            read_config(written(tmp_path, f"{SITE}\n[log]\n{text}\n"), {})
        assert raised.value.problems[0].startswith(message)


class TestRetention:
    def test_a_grant_is_kept_until_it_can_no_longer_be_disputed(self) -> None:
        kept = Retention()
        five_years = seconds("5 years")
        assert five_years
        for life in (kept.granted, kept.withdrawn):  # either may leave something granted for half a year
            assert (seconds(life) or 0) >= five_years + LIFE * 86_400
        assert LIFE * 86_400 < (seconds(kept.refused) or 0) < five_years
        assert (seconds(kept.actions) or 0) >= (seconds(kept.granted) or 0)

    def test_the_operator_says_otherwise(self, tmp_path: Path) -> None:
        path = written(tmp_path, SITE + '\n[retention]\nrefused = "7 months"\n')
        assert read_config(path, {}).retention == Retention(refused="7 months")

    @pytest.mark.parametrize("life", ["session", "0 days", "a year", "5 Years", "5 years\\n"])
    def test_what_is_no_length_of_time_is_told(self, tmp_path: Path, life: str) -> None:
        path = written(tmp_path, SITE + f'\n[retention]\ngranted = "{life}"\n')
        with pytest.raises(PolicyError, match=r"^P001 placet\.toml: in \[retention\]: "):
            read_config(path, {})


class TestSigner:
    def made(self, tmp_path: Path, text: str = SITE) -> Any:
        return read_config(written(tmp_path, text), {})

    def test_it_is_made_on_first_run_and_read_on_the_next(self, tmp_path: Path) -> None:
        config = self.made(tmp_path)
        signer = read_signer(config, {})
        assert signer.name == "www.gazette.test/.placet/log"
        assert read_signer(config, {}) == signer
        path = config.data / "ledger.key"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert parse_signer(path.read_text()) == signer
        assert list(config.data.iterdir()) == [path]

    def test_each_log_has_its_own(self, tmp_path: Path) -> None:
        one, other = (read_config(written(tmp_path, SITE), {"PLACET_DATA": str(tmp_path / n)}) for n in "ab")
        assert read_signer(one, {}).private != read_signer(other, {}).private

    def test_the_environment_goes_before_the_file_and_makes_none(self, tmp_path: Path) -> None:
        config = self.made(tmp_path)
        key = Signer(config.origin, b"k" * 32)
        assert read_signer(config, {"PLACET_LEDGER_KEY": format_signer(key)}) == key
        assert not config.data.exists()

    def test_s003_others_may_read_it(self, tmp_path: Path) -> None:
        config = self.made(tmp_path)
        read_signer(config, {})
        (config.data / "ledger.key").chmod(0o640)
        with pytest.raises(SetupError, match=r"^S003 ledger\.key: others may read it"):
            read_signer(config, {})

    def test_s010_it_is_no_key_and_is_not_quoted(self, tmp_path: Path) -> None:
        config = self.made(tmp_path)
        whole = format_signer(Signer(config.origin, b"k" * 32))
        for text in ("", "c0ffee" * 10, whole[:-4], whole.replace("PRIVATE", "PUBLIC")):
            (config.data).mkdir(exist_ok=True)
            path = config.data / "ledger.key"
            path.write_text(text)
            path.chmod(0o600)
            for environ in ({}, {"PLACET_LEDGER_KEY": text}) if text else ({},):
                with pytest.raises(SetupError, match=r"^S010 (ledger\.key|PLACET_LEDGER_KEY): ") as raised:
                    read_signer(config, environ)
                assert whole[-30:-6] not in str(raised.value)
                assert "c0ffee" not in str(raised.value)

    def test_s011_the_site_was_renamed_and_the_message_says_what_to_write(self, tmp_path: Path) -> None:
        before = read_signer(self.made(tmp_path), {})
        renamed = SITE.replace("www.gazette.test", "gazette.test")
        with pytest.raises(SetupError, match=r"^S011 ledger\.key: ") as raised:
            read_signer(self.made(tmp_path, renamed), {})
        line = f'origin = "{before.name}"'
        assert line in str(raised.value)
        assert read_signer(self.made(tmp_path, f"{renamed}\n[log]\n{line}\n"), {}) == before

    def test_s012_a_lost_key_is_not_made_again(self, tmp_path: Path) -> None:
        config = self.made(tmp_path)
        read_signer(config, {})
        config.published.mkdir()
        (config.published / "checkpoint").write_text("signed\n")
        read_signer(config, {})
        (config.data / "ledger.key").unlink()
        with pytest.raises(SetupError, match=r"^S012 ledger\.key: is not there"):
            read_signer(config, {})


def race(data: Path, barrier: Barrier, mine: Event, next_one: Event, results: Any) -> None:
    """Make secrets when everybody has seen that there are none, and after the one before has its own."""

    def wait(_: object) -> None:
        barrier.wait(PATIENCE)
        assert mine.wait(PATIENCE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", wait)  # called between looking and making
        results.put(read_secrets(data, {}))
    next_one.set()


class TestSecrets:
    def test_they_are_made_on_first_run_and_read_on_the_next(self, tmp_path: Path) -> None:
        data = tmp_path / "a" / "b"
        (secret,) = read_secrets(data, {})
        assert len(secret) == SECRET_BYTES
        assert read_secrets(data, {}) == [secret]
        assert [path.name for path in data.iterdir()] == ["placet.keys"]

    def test_each_site_has_its_own(self, tmp_path: Path) -> None:
        assert read_secrets(tmp_path / "a", {}) != read_secrets(tmp_path / "b", {})

    def test_nobody_else_may_read_them(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            read_secrets(tmp_path, {})
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "placet.keys").stat().st_mode) == 0o600

    def test_of_several_processes_that_start_at_once_one_makes_them(self, tmp_path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        number = 4
        barrier, results = context.Barrier(number), context.Queue()
        turns = [context.Event() for _ in range(number + 1)]
        processes = [
            context.Process(target=race, args=(tmp_path, barrier, *turns[at : at + 2], results))
            for at in range(number)
        ]
        for process in processes:
            process.start()
        turns[0].set()
        found = [results.get(timeout=PATIENCE) for _ in processes]
        for process in processes:
            process.join(PATIENCE)
        assert found == [read_secrets(tmp_path, {})] * number
        assert [path.name for path in tmp_path.iterdir()] == ["placet.keys"]

    def test_a_line_added_at_the_end_is_the_newest_and_signs(self, tmp_path: Path) -> None:
        (old,) = read_secrets(tmp_path, {})
        new = b"n" * SECRET_BYTES
        with (tmp_path / "placet.keys").open("a") as file:
            file.write(new.hex() + "\n")
        assert read_secrets(tmp_path, {}) == [old, new]
        signs = Keys([old, new], "c", "s").sign("x")
        assert signs == Keys([new], "c", "s").sign("x") != Keys([old], "c", "s").sign("x")

    def test_the_environment_goes_before_the_file_and_makes_none(self, tmp_path: Path) -> None:
        old, new = b"o" * 32, b"n" * 48
        for between in (" ", ",", ", ", "\n"):
            assert read_secrets(tmp_path, {"PLACET_KEYS": old.hex() + between + new.hex()}) == [old, new]
        assert list(tmp_path.iterdir()) == []

    def test_s002_they_cannot_be_read_or_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(
            SetupError, match=r"^S002 placet\.keys: cannot be read or made in the data directory"
        ):
            read_secrets(tmp_path / "file", {})
        (tmp_path / "placet.keys").mkdir()
        with pytest.raises(SetupError, match=r"^S002 "):
            read_secrets(tmp_path, {})

    def test_s002_they_are_not_text(self, tmp_path: Path) -> None:
        path = tmp_path / "placet.keys"
        path.write_bytes(b"\xff" * 64)
        path.chmod(0o600)
        with pytest.raises(SetupError, match=r"^S002 "):
            read_secrets(tmp_path, {})

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610])
    def test_s003_others_may_read_them(self, tmp_path: Path, mode: int) -> None:
        read_secrets(tmp_path, {})
        (tmp_path / "placet.keys").chmod(mode)
        with pytest.raises(SetupError, match=rf"^S003 placet\.keys: others may read it \(mode {mode:04o}\)"):
            read_secrets(tmp_path, {})

    @pytest.mark.parametrize("mode", [0o600, 0o400])
    def test_its_owner_alone_may(self, tmp_path: Path, mode: int) -> None:
        secrets = read_secrets(tmp_path, {})
        (tmp_path / "placet.keys").chmod(mode)
        assert read_secrets(tmp_path, {}) == secrets

    @pytest.mark.parametrize(
        "text", ["", "\n\n", "ab" * 31, "xy" * 32, "ab" * 32 + "\n" + "ab" * 8, "abc" + "ab" * 32]
    )
    def test_s004_they_are_too_short_or_no_hex(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "placet.keys"
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(
            SetupError, match=r"^S004 placet\.keys: needs secrets of at least 32 bytes each, in hex"
        ):
            read_secrets(tmp_path, {})
        if text.strip():
            with pytest.raises(SetupError, match=r"^S004 PLACET_KEYS: "):
                read_secrets(tmp_path, {"PLACET_KEYS": text})

    def test_s005_the_data_directory_cannot_be_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from placet import ConsentMiddleware

        (tmp_path / "file").write_text("")
        monkeypatch.setenv("PLACET_KEYS", "ab" * 32)
        config = read_config(written(tmp_path, SITE), {"PLACET_DATA": str(tmp_path / "file" / "x")})
        with pytest.raises(SetupError, match=r"^S005 .*: the data directory cannot be made"):
            ConsentMiddleware(lambda *_: None, config)  # type: ignore[arg-type]

    def test_no_message_tells_a_secret(self, tmp_path: Path) -> None:
        secret = "c0ffee" * 4
        with pytest.raises(SetupError) as raised:
            read_secrets(tmp_path, {"PLACET_KEYS": secret})
        assert secret not in str(raised.value)
