-- Keys that sign mail. private_key: PKCS #8, as readable as this file; null once the key is retired, whose row keeps its selector from being used again.
-- state: pending (made, not in use), active, replaced (its record is to stay a while), retired (its record may go).
-- scheduled: made by the server itself, which also puts it to use.
create table dkim_keys (
    domain       text    not null,
    selector     text    not null,
    algorithm    text    not null check (algorithm in ('rsa', 'ed25519')),
    bits         integer not null,
    private_key  blob,
    public_key   blob    not null,
    state        text    not null check (state in ('pending', 'active', 'replaced', 'retired')),
    scheduled    integer not null default 0 check (scheduled in (0, 1)),
    created_at   integer not null,
    activated_at integer,
    replaced_at  integer,
    retired_at   integer,
    primary key (domain, selector)
) without rowid;
