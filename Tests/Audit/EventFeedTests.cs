using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using Npgsql;

namespace HeartGrains.Tests.Audit;

/// <summary>The feed while transactions commit in another order than they began.</summary>
public sealed class EventFeedTests(LocalPostgres postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Writers hold transactions open, commit them late or take them back; readers page at full speed. What each has read in the end is the log, each event once and in order.</summary>
    [Fact]
    public async Task ReadAsync_TransactionsCommitLate_SkipsAndRepeatsNothing()
    {
        const int Writers = 6;
        const int Transactions = 40;
        using var store = await HeartStore.PostgresAsync(postgres);
        await using var silo = await HeartSilo.StartAsync(store, ("Audit:SealPeriod", "00:00:00.010"), ("Audit:SealBatch", "7"));
        using var written = new CancellationTokenSource();
        var readers = new[] { 1, 3, 1000 }.Select(limit => Task.Run(() => ReadToEndAsync(silo.Grains.GetGrain<IEventListGrain>(0), limit, null, written.Token))).ToList();
        var filtered = Task.Run(() => ReadToEndAsync(silo.Grains.GetGrain<IEventListGrain>(0), 3, "w2", written.Token));

        try
        {
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(store.Postgres, writer, Transactions)))
                .Append(Task.Run(() => GiveAsync(silo))));
            await HeartSilo.UntilAsync(async () => await silo.Get<ISealStore>().FindUnsealedAsync(Cancellation) is null);
        }
        finally
        {
            await written.CancelAsync();
        }

        var log = await LogAsync(store.Postgres);
        log.Count.ShouldBeGreaterThan(Writers * Transactions / 2);
        foreach (var reader in readers) (await reader).ShouldBe(log);
        (await filtered).ShouldBe(log.Where(position => position.Target == Key("w2")));
    }

    [Fact]
    public async Task ReadAsync_LongestNames_StaysWithinAMessage()
    {
        using var store = HeartStore.Memory();
        await using var silo = await HeartSilo.StartAsync(store);
        var name = new string('é', 128);
        for (var batch = 0; batch < 4; batch++)
        {
            await silo.Ledger.CommitAsync([.. Enumerable.Range((batch * 500) + 1, 500).Select(version => new HeartEvent(
                Key(name), version, name, new HeartId((ulong)version, 1), new string('u', 128), HeartEventKind.Given, version, 1, new HeartOrigin("key:" + new string('k', 76), "203.0.113.0/24", HeartCause.Moved, new string('j', 40))))]);
        }

        using var chain = new EventChain(silo.Keys);
        await silo.Get<ISealStore>().SealAsync(10_000, 0, chain, 1, Cancellation);

        var grain = silo.Grains.GetGrain<IEventListGrain>(0);
        var (after, sizes) = (EventPosition.Start, new List<int>());
        while (true)
        {
            var page = await grain.ReadAsync(new EventRequest(after, 1000), Cancellation);
            sizes.Add(page.Events.Length);
            after = page.Events[^1].Position;
            if (!page.HasMore) break;
        }

        sizes.Sum().ShouldBe(2_000);
        sizes[0].ShouldBeInRange(500, 999);
    }

    private static async Task<List<EventPosition>> ReadToEndAsync(IEventListGrain grain, int limit, string? targetId, CancellationToken written)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2), TimeProvider.System);
        var read = new List<EventPosition>();
        var after = EventPosition.Start;
        while (true)
        {
            // Asked first: what is sealed by then is read below.
            var isLast = written.IsCancellationRequested;
            EventPage page;
            try
            {
                page = await grain.ReadAsync(new EventRequest(after, limit, targetId), Cancellation);
            }
            catch (TimeoutException) when (!patience.IsCancellationRequested)
            {
                // On a machine that is busy with other tests.
                continue;
            }

            page.IsAvailable.ShouldBeTrue();
            foreach (var told in page.Events) read.Add(after = told.Position);
            if (isLast && page.Events.Length == 0) return read;
        }
    }

    private static async Task WriteAsync(string database, int writer, int transactions)
    {
        var random = new Random(writer);
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancellation);
        var version = 0L;
        for (var i = 0; i < transactions; i++)
        {
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            var events = random.Next(1, 5);
            for (var n = 1; n <= events; n++)
            {
                await using var insert = new NpgsqlCommand(
                    "insert into heart_event (target, heart, version, writer, at_micros, kind, user_id, target_id) values ($1, $2, $3, 1, 1, 1, $4, $5)", connection, transaction);
                insert.Parameters.AddWithValue(Key($"w{writer}"));
                insert.Parameters.AddWithValue(Guid.NewGuid());
                insert.Parameters.AddWithValue(version + n);
                insert.Parameters.AddWithValue($"u{i}");
                insert.Parameters.AddWithValue(version + n == 1 ? $"w{writer}" : DBNull.Value);
                await insert.ExecuteNonQueryAsync(Cancellation);
            }

            // Now and then long enough for others that began later to be done before.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 25)), TimeProvider.System, Cancellation);
            if (random.Next(4) == 0)
            {
                await transaction.RollbackAsync(Cancellation);
                continue;
            }

            await transaction.CommitAsync(Cancellation);
            version += events;
        }
    }

    private static async Task GiveAsync(HeartSilo silo)
    {
        for (var i = 0; i < 100; i++)
        {
            var (target, version) = ($"given {i % 10}", (i / 10) + 1);
            var outcome = await silo.Ledger.CommitAsync(
                new HeartEvent(Key(target), version, target, silo.Keys.OfHeart(Key(target), $"u{i}"), $"u{i}", HeartEventKind.Given, 1_750_000_000_000_000 + i, 1));
            outcome.ShouldBe(AppendOutcome.Committed);
        }
    }

    private static async Task<List<EventPosition>> LogAsync(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand("select xid::text::bigint, target, version from heart_event order by xid, target, version", connection);
        await using var row = await command.ExecuteReaderAsync(Cancellation);
        var log = new List<EventPosition>();
        while (await row.ReadAsync(Cancellation)) log.Add(new EventPosition(row.GetInt64(0), row.GetGuid(1), row.GetInt64(2)));
        return log;
    }

    // As the silo's own keys would make it of a name, where a test filters by it.
    private static Guid Key(string name) => new HeartKeys("a key that only tests know").OfTarget(name);
}
