using System.Collections.Concurrent;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Hosting;
using HeartGrains.Jobs;
using HeartGrains.Users;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>
/// The ledger in one SQLite file, <c>hearts.db</c>, of one process. Its calls block the thread they run on for as long as the disk
/// takes: SQLite has no others.
/// </summary>
public sealed partial class SqliteLedger : IHeartLedger, IEventLog, ISealStore, IAuditStore, IJobStore, IUserLog, IDisposable
{
    private const int BusyTimeoutSeconds = 2;
    private const int MigrationTimeoutSeconds = 60;

    private readonly string _path;
    private readonly LedgerOptions _options;
    private readonly ILogger _logger;
    private readonly ConcurrentStack<SqliteReader> _readers = new();

    // Appends and folds take turns here, because waiting inside SQLite means sleeping and asking again.
    private readonly SemaphoreSlim _writing = new(1, 1);
    private SqliteWriter? _writer;
    private volatile bool _isFailing;

    /// <summary>A ledger in the file <c>hearts.db</c> of <paramref name="directory"/>; nothing is opened yet.</summary>
    public SqliteLedger(string directory, LedgerOptions options, ILogger<SqliteLedger> logger)
    {
        _path = Path.Combine(directory, "hearts.db");
        _options = options;
        _logger = logger;
    }

    /// <inheritdoc/>
    public async Task InitializeAsync(string keyFingerprint, CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
            MakeFile();
            await using (var connection = Open(MigrationTimeoutSeconds))
            {
                await using var transaction = connection.BeginTransaction();
                await Migration.ApplyAsync(Migration.In("HeartGrains.Ledger.Sqlite"), transaction, cancellationToken);
                await Migration.ClaimKeyAsync(keyFingerprint, transaction, cancellationToken);
                transaction.Commit();
            }

            _writer ??= OpenWriter();
        }
        catch (Exception error) when (error is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new LedgerException(
                $"The database {_path} cannot be opened: {error.Message} Its folder is HeartGrains:Data, HEARTGRAINS__DATA or --data.", error);
        }
    }

    /// <summary>SQLite would let everybody read it, and takes an empty file for a new database; its other files get the mode of this one.</summary>
    private void MakeFile()
    {
        if (File.Exists(_path)) return;
        try
        {
            OwnFile.Open(_path, FileMode.CreateNew).Dispose();
        }
        catch (IOException) when (File.Exists(_path))
        {
            // Another process made it at the same time.
        }
    }

    /// <inheritdoc/>
    public async ValueTask<AppendOutcome> AppendAsync(ReadOnlyMemory<HeartEvent> batch)
    {
        await _writing.WaitAsync(CancellationToken.None);
        try
        {
            return _writer is null ? AppendOutcome.Refused : Note(_writer.Append(batch.Span), _writer);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> FoldAsync(int limit, CancellationToken cancellationToken) => WriteAsync(writer => writer.Fold(limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<WrittenVersion>> FindVersionsAsync(ReadOnlyMemory<HeartEvent> batch, CancellationToken cancellationToken) =>
        new(Read(batch, static (reader, batch) => reader.FindVersions(batch.Span)));

    /// <inheritdoc/>
    public ValueTask<TargetSnapshot> LoadAsync(Guid target, int recentLimit, CancellationToken cancellationToken) =>
        new(Read((target, recentLimit), static (reader, asked) => reader.Load(asked.target, asked.recentLimit)));

    /// <inheritdoc/>
    public ValueTask<CurrentHeart?> FindHeartAsync(Guid target, HeartId heart, CancellationToken cancellationToken) =>
        new(Read((target, heart), static (reader, asked) => reader.FindHeart(asked.target, asked.heart)));

    /// <inheritdoc/>
    public ValueTask<bool> SetOpeningAsync(Guid target, string targetId, long opening, OpeningDecision decide, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.SetOpeningAsync(target, targetId, opening, decide), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<HeartUserPage> ListUsersAsync(Guid target, long before, int limit, CancellationToken cancellationToken) =>
        new(Read((target, before, limit), static (reader, asked) => reader.ListUsers(asked.target, asked.before, asked.limit)));

    /// <inheritdoc/>
    public ValueTask<TopTarget[]> ListTopAsync(int limit, CancellationToken cancellationToken) =>
        new(Read(limit, static (reader, limit) => reader.ListTop(limit)));

    /// <inheritdoc/>
    public async ValueTask CheckAsync(CancellationToken cancellationToken)
    {
        Read(0, static (reader, _) => reader.ListTop(1));
        if (!_isFailing) return;

        // Whoever is not ready is sent no hearts that could succeed, so the check has to write itself.
        await WriteAsync(writer => { writer.Probe(); return _isFailing = false; }, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_readers.TryPop(out var reader))
            reader.Dispose();
        _writer?.Dispose();
        _writing.Dispose();
    }

    private async ValueTask<T> WriteAsync<T>(Func<SqliteWriter, T> write, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            return _writer is null ? throw NotOpen() : write(_writer);
        }
        catch (SqliteException error)
        {
            throw CannotAnswer(error);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>The first failure is told, not each of the thousands a second that may follow.</summary>
    private AppendOutcome Note(AppendOutcome outcome, SqliteWriter writer)
    {
        if (outcome is AppendOutcome.Conflict or AppendOutcome.Poison) return outcome;
        var isFailing = outcome != AppendOutcome.Committed;
        if (isFailing && !_isFailing) Log.CannotAppend(_logger, _path, writer.LastError);
        _isFailing = isFailing;
        return outcome;
    }

    private T Read<TAsked, T>(TAsked asked, Func<SqliteReader, TAsked, T> read)
    {
        if (_writer is null && !_isOpenToRead)
            throw NotOpen();
        try
        {
            if (!_readers.TryPop(out var reader))
                reader = new SqliteReader(Open(BusyTimeoutSeconds));
            try
            {
                return read(reader, asked);
            }
            finally
            {
                _readers.Push(reader);
            }
        }
        catch (SqliteException error)
        {
            throw CannotAnswer(error);
        }
    }

    /// <summary>The result of a call that blocked: of SQLite no other is made.</summary>
    private static T Ended<T>(Task<T> call) => call.GetAwaiter().GetResult();

    private LedgerException NotOpen() => new($"The database {_path} was not opened at the start.");

    private LedgerException CannotAnswer(SqliteException error) => new($"The database {_path} cannot answer: {error.Message}", error);

    private SqliteWriter OpenWriter()
    {
        var connection = Open(BusyTimeoutSeconds);
        try
        {
            if (!_options.AllowWeakDurability)
                RequireDurability(connection);
            return new SqliteWriter(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    internal SqliteConnection Open(int busyTimeoutSeconds)
    {
        NativeSqlite.Prepare();
        var settings = new SqliteConnectionStringBuilder { DataSource = _path, Pooling = false, DefaultTimeout = busyTimeoutSeconds };
        var connection = new SqliteConnection(settings.ConnectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();

            // A checkpoint writes each changed page once, so a longer log (64 MB) means fewer writes of the hot ones.
            command.CommandText =
                """
                pragma journal_mode = wal;
                pragma synchronous = full;
                pragma wal_autocheckpoint = 16384;
                pragma cache_size = -32768;
                pragma temp_store = memory;
                pragma recursive_triggers = on;
                """;
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void RequireDurability(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "select (select journal_mode from pragma_journal_mode) || ' ' || (select synchronous from pragma_synchronous)";
        if ((string?)command.ExecuteScalar() is not "wal 2" and var found)
        {
            throw new LedgerException(
                $"SQLite keeps {_path} with journal mode and synchronous level \"{found}\" instead of \"wal 2\": hearts could be lost in a "
                + "crash. Put the data on a local disk, or accept it with HeartGrains:Ledger:AllowWeakDurability.");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "Hearts cannot be written to {Path} until further notice: {Error}")]
        public static partial void CannotAppend(ILogger logger, string path, string error);
    }
}
