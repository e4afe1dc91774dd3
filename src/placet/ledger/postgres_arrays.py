"""Columns of a batch as PostgreSQL takes them: each one array, in the server's binary format.

psycopg would turn lists into arrays by itself, one value at a time, and that takes longer than all the rest.
"""

import struct
from collections.abc import Sequence

from psycopg.abc import AdaptContext
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

_HEAD = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i").pack
_BIGINT = struct.Struct("!iq").pack


class _Bigints(bytes):
    oid, element = 1016, 20


class _Byteas(bytes):
    oid, element = 1001, 17


class _Uuids(bytes):
    oid, element = 2951, 2950


class _AsItIs(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer:
        return obj


def bigints(values: Sequence[int]) -> bytes:
    """Return a bigint[]."""
    return _Bigints(_head(_Bigints.element, len(values)) + b"".join([_BIGINT(8, value) for value in values]))


def byteas(values: Sequence[bytes]) -> bytes:
    """Return a bytea[]."""
    parts = [part for value in values for part in (_LENGTH(len(value)), value)]
    return _Byteas(_head(_Byteas.element, len(values)) + b"".join(parts))


def uuids(values: Sequence[bytes]) -> bytes:
    """Return a uuid[] of values of 16 bytes each."""
    length = _LENGTH(16)
    return _Uuids(_head(_Uuids.element, len(values)) + b"".join([length + value for value in values]))


def register(context: AdaptContext) -> None:
    """Let the connection send what this module makes."""
    for kind in (_Bigints, _Byteas, _Uuids):
        context.adapters.register_dumper(kind, type(kind.__name__, (_AsItIs,), {"oid": kind.oid}))


def _head(element: int, count: int) -> bytes:
    """One dimension, no nulls, the type of the elements, how many there are, the index of the first."""
    return _HEAD.pack(1, 0, element, count, 1)
