using System.Text;
using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Moderation;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using HeartGrains.Transfer;

namespace HeartGrains.Tests.Transfer;

/// <summary>A ledger with all there can be in it goes to another and back.</summary>
public sealed class TransferTests(LocalPostgres postgres)
{
    private const string Secret = "a key that only tests know";
    private static readonly HeartOrigin Operator = new("key:op", "203.0.113.0/24");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sqlite", "sqlite", "another key of a ledger")]
    [InlineData("sqlite", "postgres", "another key of a ledger")]
    [InlineData("postgres", "sqlite", "another key of a ledger")]
    [InlineData("postgres", "postgres", Secret)]
    public async Task Import_Export_IsTheSameLedgerUnderTheKeyOfItsOwn(string from, string to, string secret)
    {
        using var source = await StoreAsync(from);
        using var target = await StoreAsync(to);
        await FillAsync(source);
        var export = await ExportAsync(source);

        var summary = await ImportAsync(target, secret, export);

        (summary.Events, summary.Targets, summary.Hearts).ShouldBe((LinesOf(export, "event").Length, 5, 6));
        var again = await ExportAsync(target);
        Comparable(again).ShouldBe(Comparable(export));
        if (secret == Secret) await ShouldServeAsync(target);
    }

    [Fact]
    public async Task Import_IntoAnotherKey_MergedUsersAreFoundThere()
    {
        using var source = HeartStore.Sqlite();
        using var target = HeartStore.Sqlite();
        await FillAsync(source);
        await ImportAsync(target, "another key of a ledger", await ExportAsync(source));

        await using var ledger = new Opened(target);
        await ledger.Ledger.OpenToReadAsync(Cancellation);
        var events = await ledger.Ledger.ReadAsync(EventPosition.Start, long.MaxValue, default, 1000, Cancellation);

        var merged = events.Single(logged => logged.UserId == "account" && logged.Detail?.Contains("\"from\"") is true);
        merged.Detail!.ShouldContain(new HeartKeys("another key of a ledger").OfUser("reader").ToString());
    }

    [Fact]
    public async Task Import_LedgerWithHearts_IsRefusedAndLeavesThem()
    {
        using var source = HeartStore.Sqlite();
        await FillAsync(source);
        var export = await ExportAsync(source);

        (await Should.ThrowAsync<LedgerException>(() => ImportAsync(source, Secret, export))).Message.ShouldContain("only into an empty one");

        Comparable(await ExportAsync(source)).ShouldBe(Comparable(export));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Import_CutOff_LeavesALedgerThatNobodyOpens(string to)
    {
        using var source = HeartStore.Sqlite();
        using var target = await StoreAsync(to);
        await FillAsync(source);
        var export = await ExportAsync(source);

        (await Should.ThrowAsync<LedgerException>(() => ImportAsync(target, Secret, export[..^30]))).Message.ShouldContain("cut off");

        await using var ledger = new Opened(target);
        (await Should.ThrowAsync<LedgerException>(() => ledger.Ledger.InitializeAsync(new HeartKeys(Secret).Fingerprint, Cancellation))).Message.ShouldContain("was not finished");
        (await Should.ThrowAsync<LedgerException>(() => ledger.Ledger.OpenToReadAsync(Cancellation))).Message.ShouldContain("was not finished");
    }

    [Fact]
    public async Task Import_HeartTakenBackThatNobodyGave_IsRefused()
    {
        using var source = HeartStore.Sqlite();
        using var target = HeartStore.Sqlite();
        await FillAsync(source);
        using var forged = new MemoryStream();
        using (var writer = new ExportWriter(forged))
        {
            await foreach (var line in new ExportReader(new MemoryStream(await ExportAsync(source))).ReadAsync(Cancellation))
                writer.Write(line is EventLine { TargetId: "post", Version: 2 } given ? given with { Kind = "withdrawn" } : line);
            writer.End();
        }

        (await Should.ThrowAsync<LedgerException>(() => ImportAsync(target, Secret, forged.ToArray()))).Message.ShouldContain("takes back a heart that is not given");
    }

    [Fact]
    public async Task Export_HeartsAreGivenMeanwhile_HasAllThatWereThereBefore()
    {
        using var source = await HeartStore.PostgresAsync(postgres);
        await using var silo = await HeartSilo.StartAsync(source);
        using var stop = new CancellationTokenSource();
        var (acknowledged, giving) = Give(silo, stop.Token);
        await HeartSilo.UntilAsync(() => Task.FromResult(acknowledged() >= 200));
        var before = acknowledged();

        var export = await ExportAsync(source);
        await stop.CancelAsync();
        await giving;

        using var target = HeartStore.Sqlite();
        (await ImportAsync(target, Secret, export)).Hearts.ShouldBeGreaterThanOrEqualTo(before);
    }

    [Fact]
    public async Task Export_LongOperationUnderWay_IsRefused()
    {
        using var source = HeartStore.Sqlite();
        await using var silo = await HeartSilo.StartAsync(source);
        await silo.Get<IJobStore>().OpenAsync(Job.Of(new JobOrder("erase-user", "ann", "{}", "key:op"), "subject", 1), Cancellation);

        (await Should.ThrowAsync<LedgerException>(() => ExportAsync(source))).Message.ShouldContain("(erase-user) is under way");
    }

    private static (Func<int> Acknowledged, Task Giving) Give(HeartSilo silo, CancellationToken stop)
    {
        var acknowledged = 0;
        return (() => Volatile.Read(ref acknowledged), Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
                if ((await silo.Target($"post {i % 7}").GiveUntilAsync($"u{i}", CancellationToken.None)).Outcome == HeartOutcome.Committed) Interlocked.Increment(ref acknowledged);
        }));
    }

    /// <summary>Hearts given, taken back and given again, from a network; a merge, an erasure, and everything that stands beside the log.</summary>
    private static async Task FillAsync(HeartStore store)
    {
        await using var silo = await HeartSilo.StartAsync(store, ("Jobs:WakePeriod", "00:00:00.100"), ("Jobs:MaxRest", "00:00:00.100"));
        foreach (var user in (string[])["ann", "ben ❤️", "gone"]) await silo.Grains.GetGrain<IHeartGrain>("post").GiveAsync(user, new HeartOrigin("jwt", "203.0.113.0/24"), Cancellation);
        await silo.Target("post").WithdrawAsync("ann");
        await silo.Target("post").GiveAsync("ann");
        await silo.Target("of a reader").GiveAsync("reader");
        await silo.Target("moved away").GiveAsync("cid");
        await silo.Target("held").GiveAsync("dan");
        await silo.Target("held").GiveAsync("gone");
        await EndAsync(silo, "merge-user", "reader", """{"reader":"reader","account":"account"}""");
        await silo.Target("last").GiveAsync("eve");
        await silo.Target("last").SetOpeningAsync(40);

        var (store2, at) = (silo.Get<IModerationStore>(), 1_750_000_000_000_000L);
        await store2.FreezeAsync(silo.Keys.OfTarget("post"), "post", true, "of a \"test\"", Decide(silo, 1, "frozen", silo.Keys.OfTarget("post")), Cancellation);
        await store2.RedirectAsync(
            silo.Keys.OfTarget("moved away"), "moved away", silo.Keys.OfTarget("post"), "post", "of a \"test\"", Decide(silo, 2, "moved", silo.Keys.OfTarget("moved away")), Cancellation);
        await store2.BlockAsync(silo.Keys.OfUser("zoe"), at + 9_000_000, Decide(silo, 3, "blocked", null, "zoe"), Cancellation);
        await store2.BlockAsync(silo.Keys.OfUser("gone"), at + 9_000_000, Decide(silo, 4, "blocked", null, "gone"), Cancellation);
        var quarantine = new Quarantine("q1", QuarantineState.Held, "held", null, at, 0, "of a test", "key:op", at);
        await store2.OpenQuarantineAsync(quarantine, Decide(silo, 5, "quarantined", silo.Keys.OfTarget("held")), Cancellation);
        await store2.HoldAsync("q1", [Held("dan", 1), Held("gone", 2)], Cancellation);
        await EndAsync(silo, "erase-user", "gone", """{"user_id":"gone"}""");

        HeldHeart Held(string user, long version) => new(silo.Keys.OfTarget("held"), version, silo.Keys.OfHeart(silo.Keys.OfTarget("held"), user));
    }

    private static Decision Decide(HeartSilo silo, long number, string action, Guid? about, string user = "")
    {
        var (at, key) = (1_750_000_000_000_000 + number, user.Length == 0 ? default : silo.Keys.OfUser(user));
        return new Decision(number, at, about, user, key, Operator, silo.Keys.OfNetwork(key, at, Operator.Network!), ModerationDetail.Of(action, "of a \"test\"", ("to", action == "moved" ? "post" : null), ("until_micros", action == "blocked" ? 1_750_000_009_000_000 : null)));
    }

    private static async Task EndAsync(HeartSilo silo, string kind, string subject, string arguments)
    {
        var desk = silo.Grains.GetGrain<IJobDeskGrain>(0);
        var job = (await desk.StartAsync(new JobOrder(kind, subject, arguments, "key:op"), Cancellation)).Job!;
        await HeartSilo.UntilAsync(async () => (job = (await desk.ReadAsync(job.Id, Cancellation)).Job!).State != JobState.Running);
        job.State.ShouldBe(JobState.Done);
    }

    private static async Task ShouldServeAsync(HeartStore store)
    {
        await using var silo = await HeartSilo.StartAsync(store);
        (await silo.Target("post").ReadAsync("ann")).Count.ShouldBe(2);
        (await silo.Target("last").GiveAsync("fay")).Count.ShouldBe(2);
        (await silo.Ledger.LoadAsync(silo.Keys.OfTarget("last"), 10, Cancellation)).Opening.ShouldBe(40);
        foreach (var target in await silo.Get<IAuditStore>().ListTargetsAsync(Guid.Empty, 100, Cancellation))
            (await silo.Get<Verifier>().VerifyTargetAsync(target, null, null, Cancellation)).Findings.ShouldBeEmpty();
    }

    private async Task<HeartStore> StoreAsync(string kind) => kind == "sqlite" ? HeartStore.Sqlite() : await HeartStore.PostgresAsync(postgres);

    private static async Task<byte[]> ExportAsync(HeartStore store)
    {
        await using var ledger = new Opened(store);
        using var stream = new MemoryStream();
        using var writer = new ExportWriter(stream);
        await new Exporter(ledger.Ledger, TimeProvider.System).ExportAsync(writer, Cancellation);
        return stream.ToArray();
    }

    private static async Task<ImportSummary> ImportAsync(HeartStore store, string secret, byte[] export)
    {
        await using var ledger = new Opened(store);
        return await new Importer(ledger.Ledger, new HeartKeys(secret)).ImportAsync(new ExportReader(new MemoryStream(export)), Cancellation);
    }

    private static string[] LinesOf(byte[] export, string kind) =>
        [.. Encoding.UTF8.GetString(export).Split('\n').Where(line => line.StartsWith($$"""{"line":"{{kind}}",""", StringComparison.Ordinal))];

    /// <summary>Without what only the old key could make of names that are told, and in an order that both stores have.</summary>
    private static IEnumerable<string> Comparable(byte[] export) => Encoding.UTF8.GetString(export).Split('\n')
        .Where(static line => line.Length > 0 && !line.StartsWith("{\"line\":\"start\"", StringComparison.Ordinal) && !line.StartsWith("{\"line\":\"end\"", StringComparison.Ordinal))
        .Select(static line =>
        {
            var parts = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(line)!;
            if (parts.ContainsKey("about")) parts.Remove("about_key");
            if (parts.ContainsKey("other_user_id")) parts.Remove("detail");
            return JsonSerializer.Serialize(parts);
        })
        .Order(StringComparer.Ordinal);

    private sealed class Opened(HeartStore store) : IAsyncDisposable
    {
        public ITransferLedger Ledger { get; } = (ITransferLedger)store.Open(new LedgerOptions());

        public async ValueTask DisposeAsync()
        {
            if (Ledger is IAsyncDisposable asynchronous) await asynchronous.DisposeAsync();
            else ((IDisposable)Ledger).Dispose();
        }
    }
}
