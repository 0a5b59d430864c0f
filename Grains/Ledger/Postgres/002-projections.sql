-- One row a target, updated by every fold that meets it: room on its page keeps the new version of the row there.
create table heart_target (
    target    uuid   not null primary key,
    count     bigint not null,
    version   bigint not null,
    target_id text   not null
) with (fillfactor = 70);

create index heart_target_top on heart_target (count desc, target) where count > 0;

-- One row a heart that is given now.
create table heart_current (
    target    uuid   not null,
    heart     uuid   not null,
    version   bigint not null,
    at_micros bigint not null,
    primary key (target, heart)
) with (fillfactor = 90);

-- One row: every event of a transaction up to xid is folded.
create table heart_fold (
    only_one boolean primary key default true check (only_one),
    xid      xid8    not null
) with (fillfactor = 50);

insert into heart_fold (xid) values ('0'::xid8);
