using System.Diagnostics;
using HeartGrains.Audit;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Postgres;
using HeartGrains.Moderation;
using HeartGrains.Tests.Infrastructure;
using Npgsql;

namespace HeartGrains.Tests.Ledger;

public sealed class PostgresLedgerTests(LocalPostgres postgres) : LastingLedgerTests
{
    private string _database = "";

    [Fact]
    public async Task FoldAsync_EarlierTransactionCommitsLate_ItsEventsAreFoldedToo()
    {
        var (late, early) = (new Story("late"), new Story("early"));
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        var written = late.Give("ann");
        await using (var insert = new NpgsqlCommand(
            "insert into heart_event (target, heart, version, writer, at_micros, kind, user_id, target_id) values ($1, $2, 1, 1, $3, 1, 'ann', 'late')",
            connection,
            transaction))
        {
            insert.Parameters.Add(new NpgsqlParameter { Value = written.Target });
            insert.Parameters.Add(new NpgsqlParameter { Value = written.Heart.ToGuid() });
            insert.Parameters.Add(new NpgsqlParameter { Value = written.AtMicros });
            await insert.ExecuteNonQueryAsync(Cancellation);
        }

        await AppendAsync(early.Give("ben"));
        (await Ledger.FoldAsync(100, Cancellation)).ShouldBe(0);
        await ShouldHoldAsync(early);
        await transaction.CommitAsync(Cancellation);

        await FoldAllAsync();
        await ShouldBeFoldedAsync(late);
        await ShouldBeFoldedAsync(early);
    }

    [Fact]
    public async Task Quarantine_PageOfHearts_IsAFewStatements()
    {
        var story = new Story("post_1");
        await AppendAsync(story.GiveMany([.. Enumerable.Range(0, 200).Select(n => $"u{n}")]));
        HeldHeart[] held = [.. story.Log.Select(e => new HeldHeart(e.Target, e.Version, e.Heart))];
        var (moderation, statements) = ((IModerationStore)Ledger, 0);
        var name = new NpgsqlConnectionStringBuilder(_database).Database;
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Npgsql",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity => Interlocked.Add(ref statements, activity.Tags.Any(tag => tag.Key is "db.name" or "db.namespace" && tag.Value == name) ? 1 : 0),
        };
        ActivitySource.AddActivityListener(listener);

        await moderation.HoldAsync("q", held, Cancellation);
        (await moderation.ReadHeldAsync("q", held, Cancellation)).Count.ShouldBe(200);
        await moderation.ForgetHeldAsync("q", held, 200, 0, Cancellation);

        statements.ShouldBeInRange(1, 20);
    }

    [Theory]
    [InlineData("fsync")]
    [InlineData("full_page_writes")]
    public async Task InitializeAsync_ServerWithoutDurability_IsRefusedUnlessAllowed(string setting)
    {
        await using var weak = new LocalPostgres { Settings = [$"{setting}=off"] };
        var database = await weak.CreateDatabaseAsync();
        await using var strict = new PostgresLedger(database, new LedgerOptions());
        await using var lenient = new PostgresLedger(database, new LedgerOptions { AllowWeakDurability = true });

        var error = await Should.ThrowAsync<LedgerException>(() => strict.InitializeAsync(Key, Cancellation));

        error.Message.ShouldContain(setting);
        await lenient.InitializeAsync(Key, Cancellation);
    }

    [Fact]
    public async Task InitializeAsync_ConnectionThatCommitsAsynchronously_IsRefused()
    {
        await using var weak = new PostgresLedger(_database + ";Options=-c synchronous_commit=off", new LedgerOptions());

        var error = await Should.ThrowAsync<LedgerException>(() => weak.InitializeAsync(Key, Cancellation));

        error.Message.ShouldContain("synchronous_commit");
    }

    [Fact]
    public async Task InitializeAsync_LoadedFromAnotherServersDump_GoesOnBehindWhatIsThere()
    {
        var story = new Story("post_1");
        await AppendAsync(story.Give("ann"));
        await FoldAllAsync();
        await AppendAsync(story.Give("ben"));
        await ExecuteAsync(
            """
            alter table heart_event disable trigger all;
            update heart_event set xid = (9000000000 + version)::text::xid8;
            alter table heart_event enable trigger all;
            update heart_fold set xid = '9000000001';
            """);

        await Ledger.InitializeAsync(Key, Cancellation);

        await AppendAsync(story.Give("cid"));
        await FoldAllAsync();
        await ShouldBeFoldedAsync(story);
        var log = (IEventLog)Ledger;
        (await log.ReadAsync(EventPosition.Start, long.MaxValue, default, 10, Cancellation)).Select(e => e.UserId).ShouldBe(["ann", "ben", "cid"]);
    }

    [Fact]
    public async Task FindHorizonAsync_EarlierTransactionStillRuns_LeavesOutWhatFollowsIt()
    {
        var (late, early) = (new Story("late"), new Story("early"));
        var log = (IEventLog)Ledger;
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using (var insert = new NpgsqlCommand(
            "insert into heart_event (target, heart, version, writer, at_micros, kind, user_id, target_id) values ($1, $1, 1, 1, 1, 1, 'ann', 'late')", connection, transaction))
        {
            insert.Parameters.Add(new NpgsqlParameter { Value = late.Target });
            await insert.ExecuteNonQueryAsync(Cancellation);
        }

        await AppendAsync(early.Give("ben"));
        (await log.ReadAsync(EventPosition.Start, await log.FindHorizonAsync(Cancellation), default, 10, Cancellation)).ShouldBeEmpty();
        await transaction.CommitAsync(Cancellation);

        // Whatever else runs in the server may hold the horizon back for a moment.
        IReadOnlyList<LoggedEvent> events;
        do events = await log.ReadAsync(EventPosition.Start, await log.FindHorizonAsync(Cancellation), default, 10, Cancellation);
        while (events.Count < 2);
        events.Select(e => e.UserId).ShouldBe(["ann", "ben"]);
    }

    [Theory]
    [InlineData("update heart_event set at_micros = 1")]
    [InlineData("update heart_event set user_id = 'zoe'")]
    [InlineData("update heart_event set user_id = 'erased:1', actor = 'x'")]
    [InlineData("delete from heart_event")]
    [InlineData("truncate heart_event")]
    public async Task Log_RewrittenByTheProgramsRole_IsRefused(string statement)
    {
        await AppendAsync(new Story("post_1").GiveMany("ann"));

        (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(statement))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);

        await ExecuteAsync("update heart_event set user_id = 'erased:1', network = null");
    }

    [Fact]
    public async Task InitializeAsync_StoreFromBeforeOrigins_IsMigratedAndKeepsItsHearts()
    {
        var story = new Story("post_1");
        _database = await postgres.CreateDatabaseAsync();
        await using (var connection = new NpgsqlConnection(_database))
        {
            await connection.OpenAsync(Cancellation);
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            await Migration.ApplyAsync([.. Migration.In("HeartGrains.Ledger.Postgres", "HeartGrains.Storage").Where(step => step.Number <= 102)], transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        var given = story.Give("ann");
        await ExecuteAsync(
            $"insert into heart_event (target, heart, version, writer, at_micros, kind, user_id, target_id) values ('{given.Target}', '{given.Heart.ToGuid()}', 1, 1, {given.AtMicros}, 1, 'ann', 'post_1')");
        await ReopenAsync();

        await ShouldHoldAsync(story);
        await AppendAsync(story.Give("ben"));
        await FoldAllAsync();
        await ShouldBeFoldedAsync(story);
        (await Ledger.SetOpeningAsync(story.Target, "post_1", 3, HeartLedgerTests.DecideOpening, Cancellation)).ShouldBeTrue();
    }

    [Fact]
    public async Task AppendAsync_NoServer_IsRefusedAndReadsSayWhere()
    {
        await using var nowhere = new PostgresLedger("Host=127.0.0.1;Port=1;Username=nobody;Database=none", new LedgerOptions());

        (await nowhere.AppendAsync(new Story("post_1").GiveMany("ann"))).ShouldBe(AppendOutcome.Refused);
        var error = await Should.ThrowAsync<LedgerException>(async () => await nowhere.CheckAsync(Cancellation));
        error.Message.ShouldContain("127.0.0.1:1");
    }

    [Fact]
    public async Task AppendAsync_ServerKilledAndBack_KeepsEveryCommittedEventAndGoesOn()
    {
        await using var server = new LocalPostgres();
        await using var ledger = new PostgresLedger(await server.CreateDatabaseAsync(), new LedgerOptions());
        await ledger.InitializeAsync(Key, Cancellation);
        var story = new Story("post_1");
        (await ledger.AppendAsync(story.GiveMany("ann", "ben"))).ShouldBe(AppendOutcome.Committed);

        await server.KillAsync();
        ReadOnlyMemory<HeartEvent> lost = new[] { story.Give("cid") };
        (await ledger.AppendAsync(lost)).ShouldBe(AppendOutcome.Unknown);
        (await ledger.AppendAsync(lost)).ShouldBe(AppendOutcome.Refused);
        await server.StartAsync();

        (await ledger.FindVersionsAsync(lost, Cancellation)).ShouldBeEmpty();
        (await ledger.AppendAsync(lost)).ShouldBe(AppendOutcome.Committed);
        (await ledger.LoadAsync(story.Target, 1, Cancellation)).Tail.Select(e => e.UserId).ShouldBe(["ann", "ben", "cid"]);
    }

    [Fact]
    public async Task AppendAsync_RivalHoldsTheVersionOpen_EndsWithoutHangingOrWriting()
    {
        var story = new Story("post_1");
        var written = story.Give("ann");
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var insert = new NpgsqlCommand(
            "insert into heart_event (target, heart, version, writer, at_micros, kind, user_id, target_id) values ($1, $1, 1, 9, 0, 1, 'x', 'post_1')",
            connection,
            transaction);
        insert.Parameters.Add(new NpgsqlParameter { Value = written.Target });
        await insert.ExecuteNonQueryAsync(Cancellation);

        (await Ledger.AppendAsync(new[] { written })).ShouldBe(AppendOutcome.Refused);

        await transaction.RollbackAsync(Cancellation);
        await AppendAsync(written);
    }

    [Fact]
    public async Task AppendAsync_ReadOnlyServer_IsRefused()
    {
        await using var readOnly = new PostgresLedger(_database + ";Options=-c default_transaction_read_only=on", new LedgerOptions());

        (await readOnly.AppendAsync(new Story("post_1").GiveMany("ann"))).ShouldBe(AppendOutcome.Refused);
    }

    [Fact]
    public async Task AppendAsync_SessionEndedByTheOperator_IsUnknownThenGoesOn()
    {
        var story = new Story("post_1");
        await AppendAsync(story.Give("ann"));
        await using (var connection = new NpgsqlConnection(_database))
        {
            await connection.OpenAsync(Cancellation);
            await using var end = new NpgsqlCommand(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()", connection);
            await end.ExecuteNonQueryAsync(Cancellation);
        }

        ReadOnlyMemory<HeartEvent> next = new[] { story.Give("ben") };
        (await Ledger.AppendAsync(next)).ShouldBe(AppendOutcome.Unknown);
        (await Ledger.FindVersionsAsync(next, Cancellation)).ShouldBeEmpty();
        (await Ledger.AppendAsync(next)).ShouldBe(AppendOutcome.Committed);
    }

    // Whatever runs in the server beside this test, autovacuum too, may hold the fold back for a moment.
    protected override async Task<bool> HasUnfoldedAsync() =>
        (bool)(await ExecuteAsync("select exists (select from heart_event e, heart_fold f where e.xid > f.xid)"))!;

    private async Task<object?> ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    protected override IHeartLedger OpenLedger() => new PostgresLedger(LocalPostgres.AsService(_database), new LedgerOptions(), _database);

    protected override IHeartLedger OpenFolder() => OpenLedger();

    protected override async Task PrepareStoreAsync() => _database = await postgres.CreateDatabaseAsync();
}
