-- Names, addresses and domains are stored in canonical form (lower case); times are milliseconds since 1970, UTC.

create table accounts (
    id         integer primary key autoincrement,
    name       text    not null unique,
    enabled    integer not null default 1 check (enabled in (0, 1)),
    created_at integer not null
);

create table account_addresses (
    account_id integer not null references accounts (id) on delete cascade,
    address    text    not null,
    primary key (account_id, address)
) without rowid;

create table account_domains (
    account_id integer not null references accounts (id) on delete cascade,
    domain     text    not null,
    primary key (account_id, domain)
) without rowid;

-- secret: an RFC 5803 verifier, or a crypt(3) string that was imported. Never a password.
create table credentials (
    id         integer primary key autoincrement,
    account_id integer not null references accounts (id) on delete cascade,
    label      text,
    secret     text    not null,
    generated  integer not null check (generated in (0, 1)),
    created_at integer not null,
    expires_at integer,
    unique (account_id, label)
);

create table domains (
    name    text    not null primary key,
    accepts integer not null default 0 check (accepts in (0, 1))
) without rowid;

create table networks (
    domain text not null references domains (name),
    cidr   text not null,
    primary key (domain, cidr)
) without rowid;
