-- One row a block of the log, which is closed for good: its hash goes over the hash before it and all its events (docs/audit.md).
create table heart_seal (
    number    bigint not null primary key check (number > 0),
    position  xid8   not null,
    events    bigint not null check (events > 0),
    at_micros bigint not null,
    hash      bytea  not null check (length(hash) = 32),
    mac       bytea  not null check (length(mac) = 32)
);

create function heart_seal_keep() returns trigger language plpgsql as $$
begin
    raise exception 'heart_seal is append-only: % is refused', lower(tg_op) using errcode = 'insufficient_privilege';
end
$$;
create trigger heart_seal_keep_rows before update or delete on heart_seal for each row execute function heart_seal_keep();
create trigger heart_seal_keep_all before truncate on heart_seal for each statement execute function heart_seal_keep();

-- One row: where the comparison in the background stands, and until when somebody is at it.
create table heart_watch (
    only_one     boolean primary key default true check (only_one),
    block        bigint not null,
    target       uuid   not null,
    until_micros bigint not null
) with (fillfactor = 50);
insert into heart_watch (block, target, until_micros) values (0, '00000000-0000-0000-0000-000000000000', 0);
