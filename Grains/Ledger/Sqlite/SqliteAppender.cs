using System.Text;
using HeartGrains.Hearts;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>
/// The append, straight on SQLite's own interface: a prepared row costs a microsecond there and several through ADO.NET, which looks
/// parameters up by name each time. For one caller at a time.
/// </summary>
internal sealed class SqliteAppender : IDisposable
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _begin;
    private readonly sqlite3_stmt _insert;
    private readonly sqlite3_stmt _commit;
    private readonly sqlite3_stmt _rollback;
    private byte[] _text = new byte[1024];

    public SqliteAppender(SqliteConnection connection)
    {
        _database = connection.Handle!;
        _begin = Prepare("begin immediate");
        _insert = Prepare(
            """
            insert into heart_event (target, version, heart, writer, at_micros, kind, user_id, target_id, actor, cause, network, network_mac, job)
            values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
            """);
        _commit = Prepare("commit");
        _rollback = Prepare("rollback");
    }

    /// <summary>What SQLite said of the last append that failed.</summary>
    public string LastError { get; private set; } = "";

    public AppendOutcome Append(ReadOnlySpan<HeartEvent> events)
    {
        if (Run(_begin) != raw.SQLITE_DONE)
            return Failed(AppendOutcome.Refused);

        foreach (ref readonly var heartEvent in events)
        {
            if (Insert(heartEvent) is not AppendOutcome.Committed and var outcome)
            {
                RollBack();
                return outcome;
            }
        }

        var committed = Run(_commit);
        if (committed == raw.SQLITE_DONE)
            return AppendOutcome.Committed;

        // A busy database wrote nothing; on a full disk the frame that commits, the last one, was not written whole. Of all else nobody knows.
        var failed = Failed(Primary(committed) is raw.SQLITE_BUSY or raw.SQLITE_FULL ? AppendOutcome.Refused : AppendOutcome.Unknown);
        RollBack();
        return failed;
    }

    public void Dispose()
    {
        _begin.Dispose();
        _insert.Dispose();
        _commit.Dispose();
        _rollback.Dispose();
    }

    private AppendOutcome Insert(in HeartEvent heartEvent)
    {
        Span<byte> id = stackalloc byte[16];
        heartEvent.Target.TryWriteBytes(id, bigEndian: true, out _);
        raw.sqlite3_bind_blob(_insert, 1, id);
        raw.sqlite3_bind_int64(_insert, 2, heartEvent.Version);
        heartEvent.Heart.ToGuid().TryWriteBytes(id, bigEndian: true, out _);
        raw.sqlite3_bind_blob(_insert, 3, id);
        raw.sqlite3_bind_int64(_insert, 4, heartEvent.Writer);
        raw.sqlite3_bind_int64(_insert, 5, heartEvent.AtMicros);
        raw.sqlite3_bind_int(_insert, 6, (int)heartEvent.Kind);
        try
        {
            BindText(7, heartEvent.UserId);
            if (heartEvent.Version == 1)
                BindText(8, heartEvent.TargetId);
            else
                raw.sqlite3_bind_null(_insert, 8);
            BindOrigin(heartEvent);
        }
        catch (EncoderFallbackException)
        {
            return AppendOutcome.Poison;
        }

        return Run(_insert) == raw.SQLITE_DONE ? AppendOutcome.Committed : Failed(Classify(raw.sqlite3_extended_errcode(_database)));
    }

    private void BindOrigin(in HeartEvent heartEvent)
    {
        var origin = OriginColumns.Of(heartEvent.Origin);
        BindTextOrNull(9, origin.Actor);
        if (origin.Cause is { } cause) raw.sqlite3_bind_int(_insert, 10, cause);
        else raw.sqlite3_bind_null(_insert, 10);
        BindTextOrNull(11, origin.Network);
        if (origin.Network is not null) raw.sqlite3_bind_int64(_insert, 12, heartEvent.NetworkMac);
        else raw.sqlite3_bind_null(_insert, 12);
        BindTextOrNull(13, origin.Job);
    }

    private void BindTextOrNull(int index, string? text)
    {
        if (text is null) raw.sqlite3_bind_null(_insert, index);
        else BindText(index, text);
    }

    private AppendOutcome Failed(AppendOutcome outcome)
    {
        LastError = $"SQLite error {raw.sqlite3_extended_errcode(_database)}, {raw.sqlite3_errmsg(_database).utf8_to_string()}";
        return outcome;
    }

    private static AppendOutcome Classify(int code) => code switch
    {
        raw.SQLITE_CONSTRAINT_UNIQUE => AppendOutcome.Conflict,
        _ when Primary(code) is raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_TOOBIG => AppendOutcome.Poison,
        _ => AppendOutcome.Refused,
    };

    private static int Primary(int code) => code & 0xFF;

    private void BindText(int index, string text)
    {
        var limit = StrictUtf8.GetMaxByteCount(text.Length);
        if (_text.Length < limit)
            _text = new byte[limit];
        raw.sqlite3_bind_text(_insert, index, _text.AsSpan(0, StrictUtf8.GetBytes(text, _text)));
    }

    private sqlite3_stmt Prepare(string sql)
    {
        var code = raw.sqlite3_prepare_v3(_database, sql, raw.SQLITE_PREPARE_PERSISTENT, out var statement);
        SqliteException.ThrowExceptionForRC(code, _database);
        return statement;
    }

    private static int Run(sqlite3_stmt statement)
    {
        var code = raw.sqlite3_step(statement);
        raw.sqlite3_reset(statement);
        return code;
    }

    private void RollBack()
    {
        // Some failures roll back by themselves.
        if (raw.sqlite3_get_autocommit(_database) == 0)
            Run(_rollback);
    }
}
