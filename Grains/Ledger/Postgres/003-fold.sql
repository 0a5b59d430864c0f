-- Folds whole transactions, about max_events of their events, and returns how many events; 0 when another fold is at work.
-- Transactions below the horizon are all over: none can appear behind the cursor later, however late it commits.
-- The settings keep the plans to index lookups whatever the statistics say of tables that were empty a minute ago.
create function fold_hearts(max_events integer) returns integer
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

    select pg_snapshot_xmin(pg_current_snapshot()) into horizon;
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
         where xid > folded and xid <= last_xid
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
         where xid > folded and xid <= last_xid
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
    return events;
end
$$;
