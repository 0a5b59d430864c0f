-- The log: the truth. Wide fixed columns first, so that no byte goes to alignment; the target's name stands in version 1 only.
create table heart_event (
    target    uuid     not null,
    heart     uuid     not null,
    version   bigint   not null,
    writer    bigint   not null,
    at_micros bigint   not null,
    xid       xid8     not null default pg_current_xact_id(),
    kind      smallint not null,
    user_id   text     not null,
    target_id text,
    primary key (target, version),
    check (kind in (1, 2)),
    check (version > 0 and (version = 1) = (target_id is not null))
);

-- The fold reads the log in the order of transactions.
create index heart_event_xid on heart_event (xid);

create table heart_meta (
    name  text primary key,
    value text not null
);
