-- The log: the truth. seq only grows and says how far the fold has come; the target's name stands in version 1 only.
create table heart_event (
    seq       integer primary key,
    target    blob    not null,
    version   integer not null,
    heart     blob    not null,
    writer    integer not null,
    at_micros integer not null,
    kind      integer not null check (kind in (1, 2)),
    user_id   text    not null,
    target_id text,
    check (version > 0 and (version = 1) = (target_id is not null))
) strict;

create unique index heart_event_key on heart_event (target, version);

create table heart_meta (
    name  text not null primary key,
    value text not null
) strict, without rowid;
