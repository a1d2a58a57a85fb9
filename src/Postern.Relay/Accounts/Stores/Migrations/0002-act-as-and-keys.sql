-- Accounts as which another may act (RFC 4422 §3.4.1), by canonical name: the other may be kept in another store.
create table account_act_as (
    account_id integer not null references accounts (id) on delete cascade,
    name       text    not null,
    primary key (account_id, name)
) without rowid;

-- Random keys that outlive a restart. decoy: names the salts of users that do not exist, which must not change.
create table keys (
    name text not null primary key,
    key  blob not null
) without rowid;

insert into keys (name, key) values ('decoy', randomblob(32));

-- credentials.secret: beside RFC 5803 and crypt(3) also {DIGEST-MD5}user:realm:hash and {PLAIN}password, for mechanisms that need them.
