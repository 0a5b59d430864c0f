-- Long operations, each a row that its work moves on. The subject is a keyed hash; arguments and checkpoint, which may name users, are null when it has ended.
create table heart_job (
    id              text    not null primary key,
    kind            text    not null,
    subject         text    not null,
    state           integer not null,
    step            integer not null,
    actor           text    not null,
    started_micros  integer not null,
    finished_micros integer,
    arguments       text,
    checkpoint      text,
    progress        text    not null
) strict, without rowid;

-- One at a time of a kind and a subject.
create unique index heart_job_open on heart_job (kind, subject) where finished_micros is null;
