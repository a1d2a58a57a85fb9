-- Whose an address is, as it is asked for each recipient where reject_unlisted_recipient stands.
create index account_addresses_by_address on account_addresses (address);
