-- State of grains kept through Orleans' AdoNet provider (invariant Npgsql), which brings no SQL of its own: it reads four statements
-- from orleansquery and names their parameters and the columns of their answers.
create table grain_state (
    id_hash    integer not null,
    type_hash  integer not null,
    key_high   bigint  not null,
    key_low    bigint  not null,
    version    integer not null,
    service_id text    not null,
    type_name  text    not null,
    key_text   text,
    payload    bytea
) with (fillfactor = 70);

-- Of two first writes one must lose: a key without text is equal to another such, not distinct as nulls are by default.
create unique index grain_state_key
    on grain_state (id_hash, type_hash, key_high, key_low, service_id, type_name, key_text) nulls not distinct;

create table orleansquery (
    querykey  text not null primary key,
    querytext text not null
);
