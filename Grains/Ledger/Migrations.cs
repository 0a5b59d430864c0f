using System.Data.Common;
using System.Reflection;

namespace HeartGrains.Ledger;

/// <summary>A numbered SQL file embedded in this assembly.</summary>
internal sealed record Migration(int Number, string Name, string Sql)
{
    /// <summary>The migrations of the folders given as namespaces, in the order of their numbers.</summary>
    public static IReadOnlyList<Migration> In(params ReadOnlySpan<string> folders)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var found = new List<Migration>();
        foreach (var folder in folders)
        {
            foreach (var resource in assembly.GetManifestResourceNames())
            {
                if (!resource.StartsWith(folder + ".", StringComparison.Ordinal) || !resource.EndsWith(".sql", StringComparison.Ordinal))
                    continue;

                var name = resource[(folder.Length + 1)..^4];
                using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
                found.Add(new Migration(int.Parse(name.AsSpan(0, 3)), name, reader.ReadToEnd()));
            }
        }

        found.Sort((a, b) => a.Number.CompareTo(b.Number));
        return found;
    }

    /// <summary>Makes the table of what was applied.</summary>
    public const string MakeTable =
        "create table if not exists heart_migration (number integer primary key, name text not null, applied text not null default current_timestamp)";

    /// <summary>
    /// Applies what is missing within <paramref name="transaction"/>, which must already hold a lock that keeps other processes out.
    /// </summary>
    public static async Task ApplyAsync(IReadOnlyList<Migration> migrations, DbTransaction transaction, CancellationToken cancellationToken, string makeTable = MakeTable)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandTimeout = 0;
        command.CommandText = makeTable;
        await command.ExecuteNonQueryAsync(cancellationToken);

        command.CommandText = "select coalesce(max(number), 0) from heart_migration";
        var applied = Convert.ToInt32(await command.ExecuteScalarAsync(cancellationToken));
        if (migrations.Count > 0 && applied > migrations[^1].Number)
        {
            throw new LedgerException(
                $"The database was migrated to step {applied} by a newer HeartGrains; this one knows {migrations[^1].Number} steps. Run the newer program.");
        }

        foreach (var migration in migrations)
        {
            if (migration.Number <= applied)
                continue;

            command.CommandText = migration.Sql;
            await command.ExecuteNonQueryAsync(cancellationToken);
            command.CommandText = $"insert into heart_migration (number, name) values ({migration.Number}, '{migration.Name}')";
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>Keeps the first key's fingerprint and refuses any other: ids are derived from the key.</summary>
    public static async Task ClaimKeyAsync(string keyFingerprint, DbTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        var parameter = command.CreateParameter();
        parameter.ParameterName = "fingerprint";
        parameter.Value = keyFingerprint;
        command.Parameters.Add(parameter);
        command.CommandText = "insert into heart_meta (name, value) values ('key', @fingerprint) on conflict (name) do nothing";
        await command.ExecuteNonQueryAsync(cancellationToken);

        command.Parameters.Clear();
        command.CommandText = "select value from heart_meta where name = 'key'";
        var kept = (string?)await command.ExecuteScalarAsync(cancellationToken);
        if (kept != keyFingerprint)
        {
            throw new LedgerException(
                "The hearts in this database were given under another key: their ids would not match. Start with the key it was filled "
                + "under (HeartGrains:Key, HEARTGRAINS__KEY, --key), or with an empty database.");
        }

        await RefuseUnfinishedImportAsync(command, cancellationToken);
    }

    /// <summary>Refuses a database that is not migrated to the last step, and returns the fingerprint of its key. Changes nothing.</summary>
    public static async Task<string> CheckAsync(IReadOnlyList<Migration> migrations, DbConnection connection, CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "select max(number) from heart_migration";
        var applied = Convert.ToInt32(await command.ExecuteScalarAsync(cancellationToken));
        if (applied != migrations[^1].Number)
            throw new LedgerException($"The database was migrated to step {applied} by another HeartGrains; this one knows {migrations[^1].Number} steps. Use the program that runs on it.");

        await RefuseUnfinishedImportAsync(command, cancellationToken);
        command.CommandText = "select value from heart_meta where name = 'key'";
        return (string)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task RefuseUnfinishedImportAsync(DbCommand command, CancellationToken cancellationToken)
    {
        command.CommandText = "select count(*) from heart_meta where name = 'import'";
        if (Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken)) > 0)
            throw new LedgerException("An import into this database is under way, or was not finished. If none is, take an empty database and import again.");
    }
}
