-- What a target is told: frozen, or moved and from then on another name of the target it was moved to. Read with the target.
create table heart_rule (
    target    blob     not null primary key,
    target_id text     not null,
    frozen    integer not null,
    moved_to  text,
    moved_key blob,
    reason    text     not null,
    at_micros integer   not null,
    check (frozen in (0, 1) and (moved_to is null) = (moved_key is null))
) strict;
create index heart_rule_moved on heart_rule (moved_key) where moved_key is not null;

-- Users who may not give hearts, by the hash of the desk and the user; who that is and why stands in the event of the decision. 0: taken back, and kept a day for silos that have not heard.
create table heart_block (
    user_key       blob   not null primary key,
    until_micros   integer not null,
    changed_micros integer not null,
    revision       integer not null,
    decided        integer not null
) strict;
create unique index heart_block_revision_key on heart_block (revision);
create index heart_block_until on heart_block (until_micros);

-- One row: the last revision. Whoever changes the list holds it, so revisions grow in the order of commits.
create table heart_block_revision (
    only_one integer primary key check (only_one = 1),
    revision integer not null
) strict;
insert into heart_block_revision (only_one, revision) values (1, 0);

create table heart_quarantine (
    id           text     not null primary key,
    state        integer not null,
    target_id    text,
    from_micros  integer,
    until_micros integer   not null,
    users        integer  not null,
    reason       text     not null,
    actor        text     not null,
    at_micros    integer   not null,
    released     integer   not null,
    skipped      integer   not null
) strict;

-- Hearts held out of the count, by the event that gave them.
create table heart_quarantine_heart (
    id      text   not null,
    target  blob   not null,
    version integer not null,
    heart   blob   not null,
    primary key (id, target, version)
) strict;
create index heart_quarantine_heart_pair on heart_quarantine_heart (target, heart);
