-- One row a block of the log, which is closed for good: its hash goes over the hash before it and all its events (docs/audit.md).
create table heart_seal (
    number    integer primary key check (number > 0),
    position  integer not null,
    events    integer not null check (events > 0),
    at_micros integer not null,
    hash      blob    not null check (length(hash) = 32),
    mac       blob    not null check (length(mac) = 32)
) strict;

create trigger heart_seal_keep_rows before delete on heart_seal
begin
    select raise(abort, 'heart_seal is append-only: delete is refused');
end;

create trigger heart_seal_keep_values before update on heart_seal
begin
    select raise(abort, 'heart_seal is append-only: update is refused');
end;

-- One row: where the comparison in the background stands, and until when somebody is at it.
create table heart_watch (
    only_one     integer primary key check (only_one = 1),
    block        integer not null,
    target       blob    not null,
    until_micros integer not null
) strict;
insert into heart_watch (only_one, block, target, until_micros) values (1, 0, zeroblob(16), 0);
