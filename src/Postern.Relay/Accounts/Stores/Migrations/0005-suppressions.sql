-- Addresses that get no mail. tenant: in lower case; '' for mail of everybody. expires_at: null for never.
create table suppressions (
    address    text    not null,
    tenant     text    not null default '',
    reason     text    not null,
    added_at   integer not null,
    expires_at integer,
    primary key (address, tenant)
) without rowid;

create index suppressions_by_expiry on suppressions (expires_at);
