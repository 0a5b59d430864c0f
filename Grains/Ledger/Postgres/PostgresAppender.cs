using System.Runtime.InteropServices;
using System.Text;
using HeartGrains.Hearts;
using Npgsql;
using NpgsqlTypes;

namespace HeartGrains.Ledger.Postgres;

/// <summary>
/// One connection with the append prepared on it, and the columns it sends, reused from batch to batch. For one caller at a time.
/// </summary>
internal sealed class PostgresAppender : IAsyncDisposable
{
    // One statement and no transaction block: a process stopped at any point holds no lock.
    private const string Sql = """
        insert into heart_event (target, heart, version, writer, at_micros, kind, user_id, target_id, actor, cause, network, network_mac, job, xid)
        select e.*, (select heart_xid()) from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) e
        """;

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _command;
    private readonly List<Guid> _targets = [];
    private readonly List<Guid> _hearts = [];
    private readonly List<long> _versions = [];
    private readonly List<long> _writers = [];
    private readonly List<long> _times = [];
    private readonly List<short> _kinds = [];
    private readonly List<string> _users = [];
    private readonly List<string?> _targetIds = [];
    private readonly List<string?> _actors = [];
    private readonly List<short?> _causes = [];
    private readonly List<string?> _networks = [];
    private readonly List<long?> _networkMacs = [];
    private readonly List<string?> _jobs = [];

    private PostgresAppender(NpgsqlConnection connection)
    {
        _connection = connection;
        _command = new NpgsqlCommand(Sql, connection);
        AddColumn(_targets, NpgsqlDbType.Uuid);
        AddColumn(_hearts, NpgsqlDbType.Uuid);
        AddColumn(_versions, NpgsqlDbType.Bigint);
        AddColumn(_writers, NpgsqlDbType.Bigint);
        AddColumn(_times, NpgsqlDbType.Bigint);
        AddColumn(_kinds, NpgsqlDbType.Smallint);
        AddColumn(_users, NpgsqlDbType.Text);
        AddColumn(_targetIds, NpgsqlDbType.Text);
        AddColumn(_actors, NpgsqlDbType.Text);
        AddColumn(_causes, NpgsqlDbType.Smallint);
        AddColumn(_networks, NpgsqlDbType.Text);
        AddColumn(_networkMacs, NpgsqlDbType.Bigint);
        AddColumn(_jobs, NpgsqlDbType.Text);
    }

    /// <summary>False when the connection broke: the appender is of no more use.</summary>
    public bool IsUsable { get; private set; } = true;

    public static async Task<PostgresAppender> OpenAsync(NpgsqlDataSource source)
    {
        var connection = await source.OpenConnectionAsync();
        var appender = new PostgresAppender(connection);
        try
        {
            await appender._command.PrepareAsync();
            return appender;
        }
        catch
        {
            await appender.DisposeAsync();
            throw;
        }
    }

    public async ValueTask<AppendOutcome> AppendAsync(ReadOnlyMemory<HeartEvent> batch)
    {
        Fill(batch.Span);
        try
        {
            await _command.ExecuteNonQueryAsync();
            return AppendOutcome.Committed;
        }
        catch (PostgresException error) when (IsRolledBack(error))
        {
            return Classify(error.SqlState);
        }
        catch (EncoderFallbackException)
        {
            // Text that is no Unicode never left this process whole, so the server throws away what it got.
            IsUsable = false;
            return AppendOutcome.Poison;
        }
        catch (Exception)
        {
            // Whatever else went wrong, only the server could say whether the commit took place, and it has not.
            IsUsable = false;
            return AppendOutcome.Unknown;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _command.DisposeAsync();
        await _connection.DisposeAsync();
    }

    // A FATAL ends the session and can come after the commit, before its answer; an ERROR is the end of the statement.
    private static bool IsRolledBack(PostgresException error) => error.InvariantSeverity == "ERROR";

    private static AppendOutcome Classify(string state) => state switch
    {
        PostgresErrorCodes.UniqueViolation => AppendOutcome.Conflict,
        ['2', '2', ..] or ['2', '3', ..] or ['5', '4', ..] => AppendOutcome.Poison,
        _ => AppendOutcome.Refused,
    };

    private void AddColumn<T>(List<T> column, NpgsqlDbType type) =>
        _command.Parameters.Add(new NpgsqlParameter<List<T>> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = column });

    private void Fill(ReadOnlySpan<HeartEvent> events)
    {
        var targets = Resize(_targets, events.Length);
        var hearts = Resize(_hearts, events.Length);
        var versions = Resize(_versions, events.Length);
        var writers = Resize(_writers, events.Length);
        var times = Resize(_times, events.Length);
        var kinds = Resize(_kinds, events.Length);
        var users = Resize(_users, events.Length);
        var targetIds = Resize(_targetIds, events.Length);

        // What is rare is not sent when no event has it: unnest fills shorter columns up with nulls.
        var (hasActors, hasCauses, hasNetworks) = (false, false, false);
        for (var i = 0; i < events.Length; i++)
        {
            ref readonly var heartEvent = ref events[i];
            targets[i] = heartEvent.Target;
            hearts[i] = heartEvent.Heart.ToGuid();
            versions[i] = heartEvent.Version;
            writers[i] = heartEvent.Writer;
            times[i] = heartEvent.AtMicros;
            kinds[i] = (short)heartEvent.Kind;
            users[i] = heartEvent.UserId;
            targetIds[i] = heartEvent.Version == 1 ? heartEvent.TargetId : null;
            if (heartEvent.Origin is not { } origin || origin == HeartOrigin.Claimed) continue;
            hasActors = true;
            hasCauses |= origin.Cause != HeartCause.User || origin.Job is not null;
            hasNetworks |= origin.Network is not null;
        }

        FillOrigins(events, hasActors, hasCauses, hasNetworks);
    }

    private void FillOrigins(ReadOnlySpan<HeartEvent> events, bool hasActors, bool hasCauses, bool hasNetworks)
    {
        var actors = Resize(_actors, hasActors ? events.Length : 0);
        var causes = Resize(_causes, hasCauses ? events.Length : 0);
        var jobs = Resize(_jobs, hasCauses ? events.Length : 0);
        var networks = Resize(_networks, hasNetworks ? events.Length : 0);
        var networkMacs = Resize(_networkMacs, hasNetworks ? events.Length : 0);
        for (var i = 0; i < actors.Length; i++)
        {
            var origin = OriginColumns.Of(events[i].Origin);
            actors[i] = origin.Actor;
            if (hasCauses) (causes[i], jobs[i]) = (origin.Cause, origin.Job);
            if (hasNetworks) (networks[i], networkMacs[i]) = (origin.Network, origin.Network is null ? null : events[i].NetworkMac);
        }
    }

    private static Span<T> Resize<T>(List<T> column, int length)
    {
        CollectionsMarshal.SetCount(column, length);
        return CollectionsMarshal.AsSpan(column);
    }
}
