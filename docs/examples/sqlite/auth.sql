create table auth (
  user text primary key,
  pass text not null,               -- as it is, or in any stored form, such as {ARGON2ID}$argon2id$…
  addresses text,                   -- what the user may send as
  tenant text
);
insert into auth values ('scott', 'tiger', 'scott@example.org', 'mytenant');
insert into auth values ('lisa@example.org', 'saxophone', null, null);
