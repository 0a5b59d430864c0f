-- Long operations, each a row that its work moves on. The subject is a keyed hash; arguments and checkpoint, which may name users, are null when it has ended.
create table heart_job (
    id              text     not null primary key,
    kind            text     not null,
    subject         text     not null,
    state           smallint not null,
    step            bigint   not null,
    actor           text     not null,
    started_micros  bigint   not null,
    finished_micros bigint,
    arguments       text,
    checkpoint      text,
    progress        text     not null
) with (fillfactor = 70);

-- One at a time of a kind and a subject.
create unique index heart_job_open on heart_job (kind, subject) where finished_micros is null;
