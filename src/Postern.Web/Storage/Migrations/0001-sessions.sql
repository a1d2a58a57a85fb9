-- Nothing here is missed when it is lost: people sign in again. Times are milliseconds since 1970, UTC.

-- hash: SHA-256 of what the cookie holds. generation: that of the operator when it began; another one ends it.
create table sessions (
    id          integer primary key autoincrement,
    hash        blob    not null unique,
    operator_id integer not null,
    generation  integer not null,
    created_at  integer not null,
    proved_at   integer not null,
    seen_at     integer not null,
    client      text    not null,
    agent       text
);

create index sessions_of_operator on sessions (operator_id);

-- The last use of each key of directory.db.
create table key_uses (
    key_id text    not null primary key,
    at     integer not null,
    client text    not null,
    agent  text
) without rowid;
