using HeartGrains.Audit;
using HeartGrains.Hearts;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>The log's seals. A block is read and sealed in one transaction, which takes its id only with its last statement: the horizon is not held back by it.</summary>
public sealed partial class PostgresLedger
{
    // $1: behind; $2: how many, about. Whole transactions, so that a place between two events of one need not be kept.
    private const string FindBlockSql = """
        select xid::text::bigint
          from (select xid from heart_event where xid > $1::text::xid8 and xid < (select heart_horizon()) order by xid limit $2) block
         order by xid desc limit 1
        """;

    private const string SealColumns = "number, position::text::bigint, events, at_micros, hash, mac";
    private const string LastSealSql = $"select {SealColumns} from heart_seal order by number desc limit 1";
    private const string InsertSealSql = "insert into heart_seal (number, position, events, at_micros, hash, mac) values ($1, $2::text::xid8, $3, $4, $5, $6)";

    private const string UnsealedSql = """
        select at_micros from heart_event
         where xid > coalesce((select position from heart_seal order by number desc limit 1), '0'::xid8) order by xid limit 1
        """;

    // What is sealed of a row; names and networks are not, and are not read for it.
    private const string SealedColumns = "xid::text::bigint, target, version, target_id, heart, kind, at_micros, writer, actor, cause, network_mac, job, about, detail";
    private const string RawColumns = SealedColumns + ", user_id, network";
    private const string Between = "from heart_event where xid > $1::text::xid8 and xid <= $2::text::xid8 order by xid, target, version";

    /// <inheritdoc/>
    public ValueTask<EventSeal?> SealAsync(int limit, long known, EventChain chain, long atMicros, CancellationToken cancellationToken) => AskAsync<EventSeal?>(async () =>
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await ScalarAsync(connection, "select pg_try_advisory_xact_lock(7521862, 3)", []) is not true) return null;

        var last = await FindLastAsync(connection, cancellationToken);
        if (known > (last?.Number ?? 0)) return null;
        var from = last?.Position ?? 0;
        if (await ScalarAsync(connection, FindBlockSql, [Value(from), Value(limit)]) is not long position) return null;

        chain.Start(last?.Hash ?? EventChain.Origin, (last?.Number ?? 0) + 1);
        await ScanAsync(connection, $"select {SealedColumns} {Between}", [Value(from), Value(position)], isWhole: false, (in row) => chain.Add(row), cancellationToken);
        var seal = chain.Finish(position, atMicros);
        await ScalarAsync(connection, InsertSealSql, [Value(seal.Number), Value(seal.Position), Value(seal.Events), Value(seal.AtMicros), Value(seal.Hash), Value(seal.Mac)]);
        await transaction.CommitAsync(cancellationToken);
        return seal;

        async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters)
        {
            await using var command = LongCommand(connection, sql, parameters);
            return await command.ExecuteScalarAsync(cancellationToken);
        }
    }, Timeout.InfiniteTimeSpan);

    /// <inheritdoc/>
    public ValueTask<EventSeal?> FindLastSealAsync(CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        return await FindLastAsync(connection, cancellationToken);
    });

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<EventSeal>> ReadSealsAsync(long from, int limit, CancellationToken cancellationToken) => AskAsync<IReadOnlyList<EventSeal>>(async () =>
        await QueryAsync($"select {SealColumns} from heart_seal where number >= $1 order by number limit $2", [Value(from), Value(limit)], ReadSeal, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<long?> FindUnsealedAsync(CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = _source.CreateCommand(UnsealedSql);
        return (long?)await command.ExecuteScalarAsync(cancellationToken);
    });

    /// <inheritdoc/>
    public async ValueTask ScanAsync(long after, long upTo, RawEventReader read, CancellationToken cancellationToken) => await AskAsync(async () =>
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        await ScanAsync(connection, $"select {RawColumns} {Between}", [Value(after), Value(upTo)], isWhole: true, read, cancellationToken);
        return true;
    }, Timeout.InfiniteTimeSpan);

    private static async Task<EventSeal?> FindLastAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(LastSealSql, connection);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? ReadSeal(row) : null;
    }

    private async Task ScanAsync(
        NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters, bool isWhole, RawEventReader read, CancellationToken cancellationToken)
    {
        await using var command = LongCommand(connection, sql, parameters);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken)) read(ReadRaw(row, isWhole));
    }

    private NpgsqlCommand LongCommand(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = PostgresConnection.Seconds(_options.FoldTimeout) };
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        return command;
    }

    private static EventSeal ReadSeal(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetFieldValue<byte[]>(4), row.GetFieldValue<byte[]>(5));

    private static RawEvent ReadRaw(NpgsqlDataReader row, bool isWhole) => new(
        new EventPosition(row.GetInt64(0), row.GetGuid(1), row.GetInt64(2)),
        Text(row, 3),
        HeartId.FromGuid(row.GetGuid(4)),
        isWhole ? row.GetString(14) : "",
        (HeartEventKind)row.GetInt16(5),
        row.GetInt64(6),
        row.GetInt64(7),
        Text(row, 8),
        row.IsDBNull(9) ? (short)0 : row.GetInt16(9),
        isWhole ? Text(row, 15) : null,
        row.IsDBNull(10) ? 0 : row.GetInt64(10),
        Text(row, 11),
        row.IsDBNull(12) ? null : row.GetGuid(12),
        Text(row, 13));
}
