using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>
/// Where one role owns the tables and another runs the program, what that other may do: read everything, add to the log and its seals, write a tombstone, and change what is folded from the log or stands beside it.
/// </summary>
internal static class PostgresRoles
{
    /// <summary>Within the owner's transaction, gives the role that the program runs as what it needs, every time, for what was migrated now.</summary>
    /// <exception cref="LedgerException">That role may change the log by itself.</exception>
    public static async Task GrantAsync(string role, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select bool_or(pg_has_role($1, c.relowner, 'member') or pg_has_role($1, n.nspowner, 'member') or pg_has_role($1, d.datdba, 'member')
                           or has_table_privilege($1, c.oid, 'delete, truncate, trigger')
                           or exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                                         and not (c.oid = 'heart_event'::regclass and a.attname in ('user_id', 'network')) and has_column_privilege($1, c.oid, a.attnum, 'update')))
                       or has_parameter_privilege($1, 'session_replication_role', 'set')
                       or exists (select from pg_roles r where (r.rolsuper or r.rolcreaterole) and pg_has_role($1, r.oid, 'member')),
                   min(n.nspname)
              from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_database d on d.datname = current_database()
             where c.oid in ('heart_event'::regclass, 'heart_seal'::regclass)
            """,
            transaction.Connection,
            transaction);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = role });
        string schema;
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            schema = reader.GetString(1);
            if (reader.GetBoolean(0))
            {
                throw new LedgerException(
                    $"The role '{role}' of ConnectionStrings:Postgres could change the log: it is or belongs to the owner of the tables, their schema or the database, or to a role with SUPERUSER or CREATEROLE, "
                    + "or was given too much of heart_event or heart_seal, or session_replication_role. "
                    + "Run as another, or leave ConnectionStrings:PostgresOwner out.");
            }
        }

        var name = Quote(role);
        command.Parameters.Clear();
        command.CommandText = $"""
            grant usage on schema {Quote(schema)} to {name};
            grant execute on function heart_xid(), heart_horizon(), fold_hearts(integer) to {name};
            grant select on heart_migration, orleansquery to {name};
            grant select, insert, update (user_id, network) on heart_event to {name};
            grant select, insert on heart_seal to {name};
            grant select, insert, delete on heart_meta to {name};
            grant select, update on heart_clock to {name};
            grant select, insert, update, delete on
                heart_target, heart_current, heart_fold, heart_opening, heart_watch, heart_job, heart_webhook, heart_webhook_target,
                heart_rule, heart_block, heart_block_revision, heart_quarantine, heart_quarantine_heart, grain_state to {name};
            """;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
