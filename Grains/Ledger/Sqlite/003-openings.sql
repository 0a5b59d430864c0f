-- One row a target that was counted elsewhere before it came here. No part of the log, which knows each heart's user.
create table heart_opening (
    target    blob    not null primary key,
    opening   integer not null check (opening > 0),
    target_id text    not null
) strict, without rowid;
