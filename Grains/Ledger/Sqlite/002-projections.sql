-- One row a target.
create table heart_target (
    target    blob    not null primary key,
    count     integer not null,
    version   integer not null,
    target_id text    not null
) strict, without rowid;

create index heart_target_top on heart_target (count desc, target) where count > 0;

-- One row a heart that is given now.
create table heart_current (
    target    blob    not null,
    heart     blob    not null,
    version   integer not null,
    at_micros integer not null,
    primary key (target, heart)
) strict, without rowid;

-- One row: every event up to seq is folded.
create table heart_fold (
    only_one integer primary key check (only_one = 1),
    seq      integer not null
) strict;

insert into heart_fold (only_one, seq) values (1, 0);
