-- How far each endpoint has been told of the log.
create table heart_webhook (
    endpoint text    not null primary key,
    seq      integer not null,
    target   blob    not null,
    version  integer not null
) strict, without rowid;

-- Targets whose state an endpoint is yet to be told; dead ones have no time.
create table heart_webhook_target (
    endpoint     text    not null,
    target       blob    not null,
    target_id    text    not null,
    change       integer not null,
    due_micros   integer,
    attempts     integer not null,
    since_micros integer not null,
    error        text,
    primary key (endpoint, target)
) strict, without rowid;

create index heart_webhook_target_due on heart_webhook_target (endpoint, due_micros) where due_micros is not null;
create index heart_webhook_target_dead on heart_webhook_target (endpoint, target_id) where due_micros is null;
