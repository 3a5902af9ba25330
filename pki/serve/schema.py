"""The tables of the servers' state, the same in SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint

from pki.serve.misbehaviour import LONGEST

METADATA = MetaData()
VERSION = 1

# One row. Every change begins by counting `revision` up: so changes come one after another, the numbers of new
# certificates grow in the order in which they become visible, and a reader sees cheaply that something changed.
STATE = Table(
    "state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("clock_offset_s", Float, nullable=False),
)

# `issuer` is `pki.serve.authority.Authority.id`; serial numbers have up to 160 bits and are kept in decimal; times are
# seconds since 1970 (POSIX), which both databases order alike.
CERTIFICATES = Table(
    "certificates",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("tree", String(64), nullable=False),
    Column("issuer", String(64), nullable=False),
    Column("serial", String(64), nullable=False),
    Column("role", String(64), nullable=False),
    Column("common_name", Text, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("not_before", Float, nullable=False),
    Column("not_after", Float, nullable=False),
    Column("der", LargeBinary, nullable=False),
    UniqueConstraint("issuer", "serial"),
    Index("certificates_by_role", "tree", "role", "common_name"),
)

REVOCATIONS = Table(
    "revocations",
    METADATA,
    Column("issuer", String(64), primary_key=True),
    Column("serial", String(64), primary_key=True),
    Column("at", Float, nullable=False),
    Column("reason", String(32), nullable=False),
)

# `digest` is scrypt of the secret and `salt`: what is written here lets nobody enrol.
SECRETS = Table(
    "secrets",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)

MISBEHAVIOURS = Table(
    "misbehaviours",
    METADATA,
    Column("service", String(16), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("certificate", String(LONGEST), primary_key=True),
)
