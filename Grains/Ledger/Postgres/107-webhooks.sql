-- How far each endpoint has been told of the log.
create table heart_webhook (
    endpoint text   not null primary key,
    xid      xid8   not null,
    target   uuid   not null,
    version  bigint not null
);

-- Targets whose state an endpoint is yet to be told; dead ones have no time.
create table heart_webhook_target (
    endpoint     text    not null,
    target       uuid    not null,
    target_id    text    not null,
    change       bigint  not null,
    due_micros   bigint,
    attempts     integer not null,
    since_micros bigint  not null,
    error        text,
    primary key (endpoint, target)
) with (fillfactor = 70);

create index heart_webhook_target_due on heart_webhook_target (endpoint, due_micros) where due_micros is not null;
create index heart_webhook_target_dead on heart_webhook_target (endpoint, target_id collate "C") where due_micros is null;
