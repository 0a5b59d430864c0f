using HeartGrains.Audit;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>The one connection that writes: appends and folds, in turn. For one caller at a time.</summary>
internal sealed class SqliteWriter : IDisposable
{
    private const string LatestSql =
        "select target, heart, kind, at_micros, max(version) as version from heart_event where seq > $from and seq <= $to and kind <> 3 group by target, heart";

    internal const string DecideSql = """
        insert into heart_event (target, heart, version, writer, at_micros, kind, user_id, target_id, actor, network, network_mac, job, about, detail)
        select zeroblob(16), $heart, next.version, $id, $at, 3, $user, iif(next.version = 1, '', null), $actor, $network, $mac, $job, $about, $detail
          from (select coalesce(max(version), 0) + 1 as version from heart_event where target = zeroblob(16)) next
         where not exists (select 1 from heart_event where kind = 3 and writer = $id)
        """;

    internal const string FindDecisionSql = "select seq, version from heart_event where kind = 3 and writer = $id";

    private readonly SqliteConnection _connection;
    private readonly SqliteAppender _appender;
    private readonly SqliteCommand _findRange;
    private readonly SqliteCommand[] _foldSteps;
    private readonly SqliteParameter _limit = new("$limit", SqliteType.Integer);
    private readonly SqliteParameter _from = new("$from", SqliteType.Integer);
    private readonly SqliteParameter _to = new("$to", SqliteType.Integer);

    public SqliteWriter(SqliteConnection connection)
    {
        _connection = connection;
        _appender = new SqliteAppender(connection);
        Users = new SqliteUsers(connection);
        _findRange = Prepare(
            "select seq, min(seq + $limit, coalesce((select max(seq) from heart_event), 0)) from heart_fold", _limit);
        _foldSteps =
        [
            Prepare($"delete from heart_current where (target, heart) in (select target, heart from ({LatestSql}) where kind = 2)", _from, _to),
            Prepare(
                $"""
                insert into heart_current (target, heart, version, at_micros)
                select target, heart, version, at_micros from ({LatestSql}) where kind = 1 order by target, heart
                on conflict (target, heart) do update set version = excluded.version, at_micros = excluded.at_micros
                """,
                _from, _to),
            Prepare(
                """
                insert into heart_target (target, count, version, target_id)
                select target, sum(case kind when 1 then 1 else -1 end), max(version), coalesce(max(target_id), '')
                  from heart_event where seq > $from and seq <= $to and kind <> 3 group by target order by target
                on conflict (target) do update set count = count + excluded.count, version = excluded.version
                """,
                _from, _to),
            Prepare("update heart_fold set seq = $to", _to),
        ];
    }

    /// <summary>For statements that are rarely asked.</summary>
    public SqliteConnection Connection => _connection;

    /// <summary>The log as it concerns one user.</summary>
    public SqliteUsers Users { get; }

    /// <inheritdoc cref="SqliteAppender.LastError"/>
    public string LastError => _appender.LastError;

    public AppendOutcome Append(ReadOnlySpan<HeartEvent> events) => _appender.Append(events);

    /// <summary>Commits as much as a batch does, of no meaning, or throws.</summary>
    public void Probe() => Execute(
        """
        insert into heart_meta (name, value) values ('probe', hex(randomblob(32768)))
            on conflict (name) do update set value = excluded.value
        """);

    /// <summary>Writes a decision, once.</summary>
    public EventPosition Decide(Decision decision)
    {
        using var transaction = Begin();
        var position = Decide(decision, transaction);
        transaction.Commit();
        return position;
    }

    /// <summary>The same, with what goes with it.</summary>
    public EventPosition Decide(Decision decision, SqliteTransaction transaction)
    {
        using var command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = DecideSql;
        var origin = OriginColumns.Of(decision.Origin);
        command.Parameters.AddWithValue("$id", decision.Id);
        command.Parameters.AddWithValue("$heart", decision.User.ToGuid().ToByteArray(bigEndian: true));
        command.Parameters.AddWithValue("$at", decision.AtMicros);
        command.Parameters.AddWithValue("$user", decision.UserId);
        command.Parameters.AddWithValue("$actor", origin.Actor ?? (object)DBNull.Value);
        command.Parameters.AddWithValue("$network", origin.Network ?? (object)DBNull.Value);
        command.Parameters.AddWithValue("$mac", origin.Network is null ? DBNull.Value : decision.NetworkMac);
        command.Parameters.AddWithValue("$job", origin.Job ?? (object)DBNull.Value);
        command.Parameters.AddWithValue("$about", decision.About?.ToByteArray(bigEndian: true) ?? (object)DBNull.Value);
        command.Parameters.AddWithValue("$detail", decision.Detail);
        command.ExecuteNonQuery();
        command.CommandText = FindDecisionSql;
        using var row = command.ExecuteReader();
        row.Read();
        return new EventPosition(row.GetInt64(0), Decision.Desk, row.GetInt64(1));
    }

    /// <summary>Adds events of another ledger, in one transaction. Returns how many.</summary>
    public int Import(IReadOnlyList<RawEvent> events)
    {
        using var transaction = Begin();
        using var command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = $"insert into heart_event ({TransferSql.EventColumns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        for (var number = 1; number <= 15; number++) command.Parameters.Add(new SqliteParameter($"${number}", null));
        foreach (var row in events)
        {
            object?[] values =
            [
                row.Position.Target.ToByteArray(bigEndian: true), row.Position.Version, row.Heart.ToGuid().ToByteArray(bigEndian: true), row.Writer, row.AtMicros, (int)row.Kind, row.UserId,
                row.TargetId, row.Actor, row.Cause == 0 ? null : row.Cause, row.Network, row.NetworkMac == 0 ? null : row.NetworkMac, row.Job, row.About?.ToByteArray(bigEndian: true), row.Detail,
            ];
            for (var index = 0; index < values.Length; index++) command.Parameters[index].Value = values[index] ?? DBNull.Value;
            command.ExecuteNonQuery();
        }

        transaction.Commit();
        return events.Count;
    }

    /// <summary>Begins a transaction, for what is written beside hearts.</summary>
    public SqliteTransaction Begin() => _connection.BeginTransaction();

    /// <summary>Runs a statement of its own; returns how many rows it changed.</summary>
    public int Run(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        return command.ExecuteNonQuery();
    }

    /// <summary>Runs statements with the same parameters in one transaction.</summary>
    public void RunAll(IReadOnlyList<string> steps, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        using var transaction = _connection.BeginTransaction();
        foreach (var step in steps)
        {
            using var command = _connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = step;
            foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
            command.ExecuteNonQuery();
        }

        transaction.Commit();
    }

    public int Fold(int limit)
    {
        var (from, to) = FindRange(limit);
        if (to <= from)
            return 0;

        // The log is what must survive a crash; a fold lost with the machine is done again, so its commit need not wait for the disk.
        Execute("pragma synchronous = normal");
        try
        {
            using var transaction = _connection.BeginTransaction();
            (from, to) = FindRange(limit, transaction);
            _from.Value = from;
            _to.Value = to;
            foreach (var step in _foldSteps)
            {
                step.Transaction = transaction;
                step.ExecuteNonQuery();
            }

            transaction.Commit();
            return (int)(to - from);
        }
        finally
        {
            Execute("pragma synchronous = full");
        }
    }

    public void Dispose()
    {
        _appender.Dispose();
        _findRange.Dispose();
        foreach (var step in _foldSteps)
            step.Dispose();
        _connection.Dispose();
    }

    private (long From, long To) FindRange(int limit, SqliteTransaction? transaction = null)
    {
        _limit.Value = limit;
        _findRange.Transaction = transaction;
        using var row = _findRange.ExecuteReader();
        row.Read();
        return (row.GetInt64(0), row.GetInt64(1));
    }

    private SqliteCommand Prepare(string sql, params SqliteParameter[] parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        command.Prepare();
        return command;
    }

    private void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
