-- app: made for one program or device. first_network: it belongs to the network of its first use, which bound_network names then, in CIDR.
-- The last use of each credential stands in a file beside this one, for a change here makes all that was read be read again.
alter table credentials add column app integer not null default 0 check (app in (0, 1));
alter table credentials add column first_network integer not null default 0 check (first_network in (0, 1));
alter table credentials add column bound_network text;
alter table credentials add column bound_at integer;

-- Where a credential may be used, and as whom. value: the name of a listener, a network in CIDR, an address, or @ and a domain.
create table credential_limits (
    credential_id integer not null references credentials (id) on delete cascade,
    kind          text    not null check (kind in ('listener', 'network', 'sender')),
    value         text    not null,
    primary key (credential_id, kind, value)
) without rowid;
