-- Who asked for a change, from where and why; null is: claimed, from nowhere, the user. Decisions (kind 3) stand in a stream of their own, that of the target of zero bits.
alter table heart_event
    add column cause       smallint,
    add column actor       text,
    add column network     text,
    add column network_mac bigint,
    add column job         text,
    add column about       uuid,
    add column detail      text;

alter table heart_event drop constraint heart_event_kind_check;
alter table heart_event add constraint heart_event_kind_check check (kind in (1, 2) or (kind = 3 and target = '00000000-0000-0000-0000-000000000000' and detail is not null));

-- All of one user, in the log's order.
create index heart_event_user on heart_event (user_id collate "C", xid);
create index heart_event_about on heart_event (about, xid) where about is not null;

-- A log that was loaded from a dump into another server goes on above its last transaction: the server's ids are told with what is missing to them.
create table heart_clock (
    only_one   boolean primary key default true check (only_one),
    xid_offset bigint not null
);
insert into heart_clock (xid_offset) values (0);

create function heart_xid() returns xid8 language sql stable as $$
    select (pg_current_xact_id()::text::bigint + xid_offset)::text::xid8 from heart_clock
$$;

-- Everything below it is over: nothing can appear there any more, however late it commits.
create function heart_horizon() returns xid8 language sql stable as $$
    select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + xid_offset)::text::xid8 from heart_clock
$$;

alter table heart_event alter column xid set default heart_xid();

-- Nothing of the log is taken back or rewritten: but a user's name and network, which give way to a tombstone.
create function heart_event_keep() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if new.user_id like 'erased:%' and old.user_id <> '' and new.network is null
            and (new.target, new.heart, new.version, new.writer, new.at_micros, new.xid, new.kind, new.target_id, new.cause, new.actor, new.network_mac, new.job, new.about, new.detail)
                is not distinct from
                (old.target, old.heart, old.version, old.writer, old.at_micros, old.xid, old.kind, old.target_id, old.cause, old.actor, old.network_mac, old.job, old.about, old.detail) then
            return new;
        end if;
    end if;
    raise exception 'heart_event is append-only: % is refused', lower(tg_op) using errcode = 'insufficient_privilege';
end
$$;
create trigger heart_event_keep_rows before update or delete on heart_event for each row execute function heart_event_keep();
create trigger heart_event_keep_all before truncate on heart_event for each statement execute function heart_event_keep();

-- As before, but decisions change no count, and the horizon is told by the log's own clock.
create or replace function fold_hearts(max_events integer) returns integer
language plpgsql
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    horizon   xid8;
    folded    xid8;
    last_xid  xid8;
    events    integer;
begin
    if not pg_try_advisory_xact_lock(7521862, 2) then
        return 0;
    end if;

    select heart_horizon() into horizon;
    select xid into folded from heart_fold;
    select chunk.xid into last_xid
      from (select e.xid from heart_event e where e.xid > folded and e.xid < horizon order by e.xid limit max_events) chunk
     order by chunk.xid desc
     limit 1;
    if last_xid is null then
        return 0;
    end if;

    with latest as materialized (
        select distinct on (target, heart) target, heart, version, at_micros, kind
          from heart_event
         where xid > folded and xid <= last_xid and kind <> 3
         order by target, heart, version desc
    ), withdrawn as (
        delete from heart_current c
         using latest l
         where l.kind = 2 and c.target = l.target and c.heart = l.heart
    )
    insert into heart_current as c (target, heart, version, at_micros)
    select target, heart, version, at_micros
      from latest
     where kind = 1
     order by target, heart
        on conflict (target, heart) do update set version = excluded.version, at_micros = excluded.at_micros;

    with change as materialized (
        select target,
               sum(case kind when 1 then 1 else -1 end)::bigint as delta,
               min(version) as first_version,
               max(version) as last_version,
               max(target_id) as target_id,
               count(*) as events
          from heart_event
         where xid > folded and xid <= last_xid and kind <> 3
         group by target
         order by target
    ), seen as (
        update heart_target t
           set count = t.count + c.delta, version = c.last_version
          from change c
         where c.first_version > 1 and t.target = c.target
    ), unseen as (
        insert into heart_target (target, count, version, target_id)
        select target, delta, last_version, target_id from change where first_version = 1
    )
    select sum(change.events) into events from change;

    update heart_fold set xid = last_xid;
    return coalesce(events, 0);
end
$$;
