-- How long the content of its messages is kept when their delivery is over, in seconds; 0 for never, null where nothing is said of the account.
alter table accounts add column keep integer;
