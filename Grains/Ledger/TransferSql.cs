using System.Data.Common;
using HeartGrains.Audit;
using HeartGrains.Transfer;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Ledger;

/// <summary>What stands beside the log, read and written in SQL that PostgreSQL and SQLite both understand. They differ in how they take 128-bit keys.</summary>
internal sealed class TransferSql(DbConnection connection, DbTransaction? transaction, CancellationToken cancellationToken)
{
    private const int TimeoutSeconds = 600;

    public const string EventColumns = "target, version, heart, writer, at_micros, kind, user_id, target_id, actor, cause, network, network_mac, job, about, detail";

    /// <param name="end">The place of the last event, as this store tells it.</param>
    /// <param name="userColumn">The user as the index on it is made.</param>
    public async Task<LedgerMark> FindMarkAsync(string end, string userColumn)
    {
        await using var command = Command(
            $"""
            select ({end}), (select min(kind) from heart_job where finished_micros is null and kind <> '{VerifyJob.Kind}'), (select count(*) from heart_job where kind <> '{VerifyJob.Kind}'),
                   coalesce((select max(version) from heart_event where target = @desk), 0),
                   (select count(*) from heart_event where {userColumn} >= '{EventProof.TombstonePrefix}' and {userColumn} < 'erased;')
            """,
            ("desk", Key(Decision.Desk)));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return new LedgerMark(row.GetInt64(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4));
    }

    public async Task ScanAsync(Action<ExportLine> read)
    {
        await ScanAsync("select target_id, opening from heart_opening order by target", row => read(new OpeningLine(row.GetString(0), row.GetInt64(1))));
        await ScanAsync(
            "select target_id, frozen, reason, at_micros, moved_to from heart_rule order by target",
            row => read(new RuleLine(row.GetString(0), row.GetInt32(1) == 1, row.GetString(2), row.GetInt64(3), row.IsDBNull(4) ? null : row.GetString(4))));
        await ScanAsync(
            """
            select b.until_micros, b.changed_micros, b.revision, b.decided, e.user_id, b.user_key
              from heart_block b join heart_event e on e.target = @desk and e.version = b.decided order by b.revision
            """,
            row => read(new BlockLine(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetString(4), IfForgotten(row.GetString(4), ReadKey(row, 5)))),
            ("desk", Key(Decision.Desk)));
        await ScanAsync(
            "select id, state, until_micros, users, reason, actor, at_micros, released, skipped, target_id, from_micros from heart_quarantine order by id",
            row => read(new QuarantineLine(
                row.GetString(0), row.GetInt32(1), row.GetInt64(2), row.GetInt32(3), row.GetString(4), row.GetString(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8),
                row.IsDBNull(9) ? null : row.GetString(9), row.IsDBNull(10) ? null : row.GetInt64(10))));
        await ScanAsync(
            """
            select h.id, first.target_id, h.version, e.user_id, h.heart
              from heart_quarantine_heart h
              join heart_event first on first.target = h.target and first.version = 1
              join heart_event e on e.target = h.target and e.version = h.version
             order by h.id, h.target, h.version
            """,
            row => read(new HeldLine(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetString(3), IfForgotten(row.GetString(3), ReadKey(row, 4)))));
    }

    public async Task<bool> BeginImportAsync()
    {
        await using var command = Command(
            """
            select (select count(*) from heart_opening) + (select count(*) from heart_rule) + (select count(*) from heart_block) + (select count(*) from heart_quarantine)
                   + (select count(*) from heart_job) + case when exists (select 1 from heart_event) then 1 else 0 end
            """);
        if (Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken)) > 0) return false;
        await ExecuteAsync("insert into heart_meta (name, value) values ('import', 'not finished')");
        return true;
    }

    public Task EndImportAsync() => ExecuteAsync("delete from heart_meta where name = 'import'");

    public async Task ImportAsync(IReadOnlyList<StandingRow> rows)
    {
        foreach (var row in rows) await ImportAsync(row);
    }

    private Task ImportAsync(StandingRow row) => row.Line switch
    {
        OpeningLine opening => ExecuteAsync(
            "insert into heart_opening (target, opening, target_id) values (@target, @opening, @name)",
            ("target", Key(row.Key)), ("opening", opening.Count), ("name", opening.TargetId)),
        RuleLine rule => ExecuteAsync(
            "insert into heart_rule (target, target_id, frozen, moved_to, moved_key, reason, at_micros) values (@target, @name, @frozen, @to_name, @to, @reason, @at)",
            ("target", Key(row.Key)), ("name", rule.TargetId), ("frozen", rule.Frozen ? 1 : 0), ("to_name", rule.MovedTo), ("to", row.Other is { } to ? Key(to) : null),
            ("reason", rule.Reason), ("at", rule.At)),
        BlockLine block => ExecuteAsync(
            """
            insert into heart_block (user_key, until_micros, changed_micros, revision, decided) values (@user, @until, @changed, @revision, @decided);
            update heart_block_revision set revision = @revision where revision < @revision;
            """,
            ("user", Key(row.Key)), ("until", block.Until), ("changed", block.Changed), ("revision", block.Revision), ("decided", block.Decided)),
        QuarantineLine quarantine => ExecuteAsync(
            """
            insert into heart_quarantine (id, state, target_id, from_micros, until_micros, users, reason, actor, at_micros, released, skipped)
            values (@id, @state, @target, @from, @until, @users, @reason, @actor, @at, @released, @skipped)
            """,
            ("id", quarantine.Id), ("state", quarantine.State), ("target", quarantine.TargetId), ("from", quarantine.From), ("until", quarantine.Until), ("users", quarantine.Users),
            ("reason", quarantine.Reason), ("actor", quarantine.Actor), ("at", quarantine.At), ("released", quarantine.Released), ("skipped", quarantine.Skipped)),
        HeldLine held => ExecuteAsync(
            "insert into heart_quarantine_heart (id, target, version, heart) values (@id, @target, @version, @heart)",
            ("id", held.Id), ("target", Key(row.Key)), ("version", held.Version), ("heart", Key(row.Other!.Value))),
        _ => throw new ArgumentException("It does not stand beside the log.", nameof(row)),
    };

    private static Guid? IfForgotten(string userId, Guid key) => userId.StartsWith(EventProof.TombstonePrefix, StringComparison.Ordinal) ? key : null;

    private object Key(Guid id) => connection is SqliteConnection ? id.ToByteArray(bigEndian: true) : id;

    private static Guid ReadKey(DbDataReader row, int column) => row.GetValue(column) is byte[] bytes ? new Guid(bytes, bigEndian: true) : row.GetGuid(column);

    private async Task ScanAsync(string sql, Action<DbDataReader> read, params (string Name, object? Value)[] values)
    {
        await using var command = Command(sql, values);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken)) read(row);
    }

    private async Task ExecuteAsync(string sql, params (string Name, object? Value)[] values)
    {
        await using var command = Command(sql, values);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private DbCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        command.CommandTimeout = TimeoutSeconds;
        foreach (var (name, value) in values)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value ?? DBNull.Value);
            command.Parameters.Add(parameter);
        }

        return command;
    }
}
