-- Who may use the web plane. password: an RFC 5803 verifier; totp: the secret of one-time codes; both are null until an invitation is taken.
-- totp_step: the time step of the newest code that was taken, for a code counts once. generation: random, and another one whenever the
-- sessions of an operator are to end.
create table operators (
    id         integer primary key autoincrement,
    name       text    not null unique,
    role       text    not null,
    tenant     text,
    password   text,
    totp       blob,
    totp_step  integer not null default 0,
    generation integer not null,
    created_at integer not null,
    changed_at integer not null,
    enabled    integer not null default 1 check (enabled in (0, 1)),
    check ((password is null) = (totp is null))
);

-- Codes that let a person set a password, each once. code: SHA-256 of it. operator_id: who is to set it anew; null for somebody new.
create table invitations (
    code        blob    not null primary key,
    role        text    not null,
    tenant      text,
    operator_id integer references operators (id) on delete cascade,
    totp        blob    not null,
    created_by  text    not null,
    created_at  integer not null,
    expires_at  integer not null
) without rowid;

-- Keys of programs. hash: SHA-256 of the whole key, which holds 256 random bits. scopes and networks: words with a space between them.
-- The last use of each stands in web.db beside this file, for a change here makes all that was read be read again.
create table api_keys (
    id         text    not null primary key,
    hash       blob    not null,
    label      text    not null unique,
    scopes     text    not null,
    tenant     text,
    account_id integer references accounts (id) on delete cascade,
    networks   text    not null,
    created_by text    not null,
    created_at integer not null,
    expires_at integer not null
) without rowid;
