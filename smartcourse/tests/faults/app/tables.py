"""The tables of the faults: plain SQL, made by the harness, so that the product's registry of models is as it was."""

from __future__ import annotations

TABLES = """
-- What subscribers did. No constraint: an effect that happened twice is two rows.
CREATE TABLE faults_effect (
    id bigserial PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    subscriber text NOT NULL,
    fact_id uuid NOT NULL,
    thing_id uuid NOT NULL,
    number bigint NOT NULL,
    pid integer NOT NULL,
    session integer NOT NULL DEFAULT pg_backend_pid()
);
CREATE INDEX faults_effects_by_subscriber ON faults_effect (subscriber);
-- What the relay sent, in the order that it sent it: signals, heard in its own process and transaction.
CREATE TABLE faults_signal (
    id bigserial PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    fact_id uuid NOT NULL,
    thing_id uuid NOT NULL,
    number bigint NOT NULL,
    pid integer NOT NULL
);
-- Where a process is to die, fail or stop, how, for whom (NULL: anybody), and how many times more.
CREATE TABLE faults_breakpoint (
    id serial PRIMARY KEY,
    place text NOT NULL,
    subject_id uuid,
    mode text NOT NULL,
    remaining integer NOT NULL
);
-- Who passed a place, written at once: the death of whoever passed does not take it back.
CREATE TABLE faults_trace (
    id bigserial PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    place text NOT NULL,
    subject_id uuid,
    mode text,
    pid integer NOT NULL
);
CREATE INDEX faults_traces_by_subject ON faults_trace (subject_id);
"""
