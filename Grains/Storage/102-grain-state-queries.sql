-- A row that is made anew starts at a version of its own: who knew an earlier row of the same key must not take it for that one.
-- No row in an answer means that the version expected is not the one stored; the provider turns that into an inconsistent-state error.
insert into orleansquery (querykey, querytext) values
('ReadFromStorageKey', $sql$
    select payload as PayloadBinary, version as Version
      from grain_state
     where id_hash = @GrainIdHash and type_hash = @GrainTypeHash and key_high = @GrainIdN0 and key_low = @GrainIdN1
       and service_id = @ServiceId and type_name = @GrainTypeString and key_text is not distinct from @GrainIdExtensionString::text
$sql$),
('WriteToStorageKey', $sql$
    with changed as (
        update grain_state
           set version = version + 1, payload = @PayloadBinary
         where id_hash = @GrainIdHash and type_hash = @GrainTypeHash and key_high = @GrainIdN0 and key_low = @GrainIdN1
           and service_id = @ServiceId and type_name = @GrainTypeString and key_text is not distinct from @GrainIdExtensionString::text
           and version = @GrainStateVersion::integer
        returning version
    ), added as (
        insert into grain_state (id_hash, type_hash, key_high, key_low, version, service_id, type_name, key_text, payload)
        select @GrainIdHash, @GrainTypeHash, @GrainIdN0, @GrainIdN1, 1 + (random() * 1000000000)::integer, @ServiceId, @GrainTypeString, @GrainIdExtensionString::text, @PayloadBinary
         where @GrainStateVersion::integer is null
            on conflict do nothing
        returning version
    )
    select version as NewGrainStateVersion from changed union all select version from added
$sql$),
('ClearStorageKey', $sql$
    update grain_state
       set version = version + 1, payload = null
     where id_hash = @GrainIdHash and type_hash = @GrainTypeHash and key_high = @GrainIdN0 and key_low = @GrainIdN1
       and service_id = @ServiceId and type_name = @GrainTypeString and key_text is not distinct from @GrainIdExtensionString::text
       and version = @GrainStateVersion::integer
    returning version as NewGrainStateVersion
$sql$),
('DeleteStorageKey', $sql$
    delete from grain_state
     where id_hash = @GrainIdHash and type_hash = @GrainTypeHash and key_high = @GrainIdN0 and key_low = @GrainIdN1
       and service_id = @ServiceId and type_name = @GrainTypeString and key_text is not distinct from @GrainIdExtensionString::text
       and version = @GrainStateVersion::integer
    returning version + 1 as NewGrainStateVersion
$sql$);
