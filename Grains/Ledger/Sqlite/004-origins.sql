-- The log again, with who asked for a change, from where and why (null is: claimed, from nowhere, the user), and decisions (kind 3), which stand in a stream of their own, that of the
-- target of zero bits. SQLite changes no check of a table that is there.
alter table heart_event rename to heart_event_before;
drop index heart_event_key;

create table heart_event (
    seq         integer primary key,
    target      blob    not null,
    version     integer not null,
    heart       blob    not null,
    writer      integer not null,
    at_micros   integer not null,
    kind        integer not null,
    user_id     text    not null,
    target_id   text,
    cause       integer,
    actor       text,
    network     text,
    network_mac integer,
    job         text,
    about       blob,
    detail      text,
    check (kind in (1, 2) or (kind = 3 and target = zeroblob(16) and detail is not null)),
    check (version > 0 and (version = 1) = (target_id is not null))
) strict;

insert into heart_event (seq, target, version, heart, writer, at_micros, kind, user_id, target_id)
select seq, target, version, heart, writer, at_micros, kind, user_id, target_id from heart_event_before order by seq;
drop table heart_event_before;

create unique index heart_event_key on heart_event (target, version);

-- All of one user, in the log's order, which is the rows'.
create index heart_event_user on heart_event (user_id);
create index heart_event_about on heart_event (about) where about is not null;

-- Nothing of the log is taken back or rewritten: but a user's name and network, which give way to a tombstone.
create trigger heart_event_keep_rows before delete on heart_event
begin
    select raise(abort, 'heart_event is append-only: delete is refused');
end;

create trigger heart_event_keep_values before update on heart_event
when not (new.user_id like 'erased:%' and old.user_id <> '' and new.network is null
    and (new.seq, new.target, new.version, new.heart, new.writer, new.at_micros, new.kind) = (old.seq, old.target, old.version, old.heart, old.writer, old.at_micros, old.kind)
    and new.target_id is old.target_id and new.cause is old.cause and new.actor is old.actor and new.network_mac is old.network_mac
    and new.job is old.job and new.about is old.about and new.detail is old.detail)
begin
    select raise(abort, 'heart_event is append-only: update is refused');
end;
