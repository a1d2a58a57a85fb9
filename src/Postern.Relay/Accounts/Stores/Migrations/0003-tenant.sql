-- Whose account it is, of those that share a server; null for nobody's in particular.
alter table accounts add column tenant text;
