"""A receipt as JSON: the fields of ISO/IEC TS 27560:2023 that a choice about trackers has.

Their JSON Schema is published from these structs. What a receipt says beyond the record itself is what the
site's policy says; where that has changed since, it is left out, for it might have said something else then.
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urljoin

import msgspec

from placet.consent.policy import Policy
from placet.consent.policyfile import seconds
from placet.consent.receipt import Act, Event, Layer
from placet.ledger.note import Verifier
from placet.ledger.store import Kept

SCHEMA = "receipt.schema.json"

Number = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{21}[AQgw]$")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Moment = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$")]
Decision = Literal["granted", "denied"]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the visitor had before their eyes."""

    language: str
    layer: Layer
    notice: Sha256 | None


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """What the browser said unasked."""

    gpc: bool


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """The record as the ledger has it; its canonical form (RFC 8785) is what the log commits to."""

    act: Act
    answers: dict[str, Decision]
    controller: str
    event: Event
    id: str
    policy: str
    previous: Number | None
    receipt: Number | None
    shown: Seen
    signals: Signals
    site: str
    time: int  # milliseconds since 1970
    until: int  # seconds since 1970; the first moment at which it no longer holds
    v: Literal[1]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """The notice that was shown: where its text is, and what that hashes to."""

    url: str  # of the privacy policy
    text: str  # address of the notice as it was shown, for the holder of the receipt
    sha256: Sha256 | None  # of those bytes


class PersonalData(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of data that a purpose processes."""

    pii_type: str


class Purpose(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One purpose and its answer; the rest only where the policy is still the one that was shown."""

    purpose: str
    decision: Decision
    purpose_name: str | None = None
    lawful_basis: Literal["consent", "exempt"] | None = None
    pii_information: tuple[PersonalData, ...] | None = None
    recipient_third_parties: tuple[str, ...] | None = None
    storage_locations: tuple[str, ...] | None = None  # "terminal", and the recipients' countries
    retention_period: str | None = None  # longest life of its trackers, as the policy writes it


class Processing(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, and how to go back on it."""

    purposes: tuple[Purpose, ...]
    pii_controllers: tuple[str, ...]  # party_id
    collection_method: str
    service: str
    jurisdiction: str
    withdrawal_method: str
    privacy_rights: tuple[str, ...]


class Party(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who answers for it; address and contact are today's, and only where the name still is."""

    party_id: str
    party_type: Literal["pii_controller"]
    party_name: str
    party_address: str | None = None
    party_contact: str | None = None


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """When the choice was made, by whom, and for how long it holds."""

    event_time: Moment
    validity_duration: Annotated[str, msgspec.Meta(pattern=r"^PT\d+S$")]
    entity_id: Literal["pii_principal"]
    event_type: Literal["explicit"]
    event_state: Literal["given", "refused", "withdrawn"]


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log has it."""

    origin: str
    vkey: str
    index: Annotated[int, msgspec.Meta(ge=0)]
    entry: str  # base64 of the leaf's 33 bytes


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt of a choice that grants something."""

    schema_version: Literal["placet-receipt/1"]
    receipt_id: Number
    record_id: str
    pii_principal_id: Number  # the receipt's number: the visitor has no other name here
    language: str
    privacy_notice: Notice
    processing: Processing
    parties: tuple[Party, ...]
    events: tuple[Happened, ...]
    record: Recorded
    log: Logged


def read_record(record: bytes) -> Recorded:
    """Return the record; raises `msgspec.ValidationError` for bytes that are none."""
    return msgspec.json.decode(record, type=Recorded)


def format_receipt(kept: Kept, policy: Policy, address: str, log: Verifier) -> bytes:
    """Return the receipt of an entry that has one, as JSON for people to keep.

    `address` is that of the site's own Placet pages. Raises ValueError for an erased entry, or one
    without a receipt.
    """
    if kept.entry is None:
        raise ValueError("an erased entry has no receipt")
    record = read_record(kept.entry.record)
    if record.receipt is None:
        raise ValueError("who granted nothing has no receipt")
    receipt = Receipt(
        schema_version="placet-receipt/1",
        receipt_id=record.receipt,
        record_id=record.id,
        pii_principal_id=record.receipt,
        language=record.shown.language,
        privacy_notice=Notice(
            url=urljoin(address, policy.site.privacy_policy),
            text=f"{address}receipt/notice",
            sha256=record.shown.notice,
        ),
        processing=_processing(record, policy, address),
        parties=(_controller(record, policy),),
        events=(_happened(record),),
        record=record,
        log=Logged(origin=log.name, vkey=str(log), index=kept.index, entry=b64encode(kept.leaf).decode()),
    )
    # As it was recorded, to the last member, whatever this version knows of it.
    whole = msgspec.to_builtins(receipt) | {"record": json.loads(kept.entry.record)}
    return msgspec.json.format(msgspec.json.encode({"$schema": address + SCHEMA, **whole}), indent=2) + b"\n"


def schema() -> bytes:
    """Return the JSON Schema of a receipt (draft 2020-12)."""
    made: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Receipt of a consent, after ISO/IEC TS 27560:2023",
        **msgspec.json.schema(Receipt),
    }
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


def moment(milliseconds: int) -> datetime:
    """Return the time in UTC."""
    return datetime.fromtimestamp(milliseconds / 1_000, UTC)


def _processing(record: Recorded, policy: Policy, address: str) -> Processing:
    known = record.policy == policy.fingerprint
    return Processing(
        purposes=tuple(
            _purpose(id, decision, policy, record.shown.language)
            if known
            else Purpose(purpose=id, decision=decision)
            for id, decision in record.answers.items()
        ),
        pii_controllers=("controller",),
        collection_method=f"{record.shown.layer}: {record.act}",
        service=record.site,
        jurisdiction="EU",
        withdrawal_method=f"{address}settings",
        privacy_rights=("GDPR 7(3)", "GDPR 15", "GDPR 17", "GDPR 77"),
    )


def _purpose(id: str, decision: Decision, policy: Policy, language: str) -> Purpose:
    written = policy.purposes[id]
    providers = [provider for _, provider in policy.of_purpose(id)]
    lives = [tracker.life for tracker in policy.written.trackers if tracker.purpose == id]
    words = written.text.get(language)
    return Purpose(
        purpose=id,
        decision=decision,
        purpose_name=words.title if words else None,
        lawful_basis="consent" if written.basis == "consent" else "exempt",
        pii_information=tuple(PersonalData(pii_type=kind) for kind in written.data),
        recipient_third_parties=tuple(provider.name for provider in providers),
        storage_locations=("terminal", *sorted({each.country for each in providers if each.country})),
        retention_period=max(lives, key=lambda life: seconds(life) or 0, default=None),
    )


def _controller(record: Recorded, policy: Policy) -> Party:
    site = policy.site
    same = record.controller == site.controller
    return Party(
        party_id="controller",
        party_type="pii_controller",
        party_name=record.controller,
        party_address=(same and site.address) or None,
        party_contact=site.contact if same else None,
    )


def _happened(record: Recorded) -> Happened:
    time = moment(record.time)
    return Happened(
        event_time=time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        validity_duration=f"PT{record.until - record.time // 1_000}S",
        entity_id="pii_principal",
        event_type="explicit",
        event_state="given" if record.event == "granted" else record.event,
    )
