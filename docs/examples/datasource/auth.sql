create table auth (
  user varchar(255) primary key,
  pass varchar(255) not null,
  addresses varchar(1000)
);
insert into auth values ('lisa@example.org', 'tiger', null);
