using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.RateLimiting;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using HeartGrains.Users;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Users;

/// <summary>Erasure, merge and export over every ledger.</summary>
public abstract partial class UserWorkTests : IAsyncLifetime
{
    private HeartStore _store = null!;
    private protected HeartSilo _silo = null!;

    private protected abstract Task<HeartStore> OpenStoreAsync();

    public async ValueTask InitializeAsync()
    {
        _store = await OpenStoreAsync();
        _silo = await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        _store.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Erase_HeartsFoldedAndNot_AreWithdrawnAndTheNameIsNowhere()
    {
        await GiveAsync("ann", "folded", "taken back", "again");
        await GiveAsync("ben", "folded", "tail");
        await _silo.Target("taken back").WithdrawAsync("ann");
        await _silo.Target("again").WithdrawAsync("ann");
        await _silo.Ledger.FoldAllAsync();
        await GiveAsync("ann", "tail", "again");
        await _silo.Grains.GetGrain<IHeartGrain>("from somewhere").GiveAsync("ann", new HeartOrigin("jwt", "203.0.113.0/24"), Cancellation);
        await Log.DecideAsync(new Decision(5, 1, null, "ann", _silo.Keys.OfUser("ann"), new HeartOrigin("key:op", "203.0.113.0/24"), 7, """{"action":"blocked"}"""), Cancellation);
        await Quota("ann").AcquireAsync([new QuotaClaim("user", 3)], Cancellation);

        var job = await EndAsync(await StartAsync("erase-user", "ann", """{"user_id":"ann"}"""));

        (job.State, job.Progress).ShouldBe((JobState.Done, """{"hearts":4,"rows":13}"""));
        (await ReadAsync("folded")).ShouldBe((1, false));
        (await ReadAsync("tail")).ShouldBe((1, false));
        (await ReadAsync("again")).ShouldBe((0, false));
        (await ReadAsync("from somewhere")).ShouldBe((0, false));
        var all = await EventsAsync();
        all.ShouldAllBe(logged => logged.UserId == "ben" || logged.UserId == "erased:" + job.Id);
        all.ShouldAllBe(logged => logged.Origin.Network == null);
        all.Single(logged => logged.TargetId == "from somewhere" && logged.Kind == HeartEventKind.Given).NetworkMac.ShouldNotBe(0);
        all.Where(logged => logged.Origin.Cause == HeartCause.Erased).ShouldAllBe(logged => logged.Origin.Job == job.Id && logged.Origin.Actor == "key:op" && logged.Kind == HeartEventKind.Withdrawn);
        var decision = all[^1];
        (decision.Kind, decision.Heart, decision.Detail).ShouldBe((HeartEventKind.Decided, _silo.Keys.OfUser("ann"), $$"""{"action":"erased","receipt":"{{job.Id}}","hearts":4,"rows":13}"""));
        var stored = (await _silo.Services.GetRequiredService<IJobStore>().FindAsync(job.Id, Cancellation))!;
        $"{stored}".ShouldNotContain("ann");
    }

    [Fact]
    public async Task Erase_StoppedBetweenWithdrawingAndRenaming_GoesOnInAnotherSiloAndCountsOnce()
    {
        await GiveAsync("ann", [.. Enumerable.Range(0, 40).Select(index => $"post {index}")]);
        var gate = new LedgerGate();
        var withdrawn = 0;
        _silo.Ledger.OnAppend = async (rows, append) =>
        {
            if (Interlocked.Add(ref withdrawn, rows.Length) > 20) await gate.PassAsync();
            return await append();
        };
        var id = (await StartAsync("erase-user", "ann", """{"user_id":"ann"}""")).Id;
        await gate.Reached;
        await GiveUpAsync(gate);

        var job = await EndAsync(id);

        job.Progress.ShouldBe("""{"hearts":40,"rows":80}""");
        (await EventsAsync()).Count(logged => logged.Kind == HeartEventKind.Withdrawn).ShouldBe(40);
        (await ReadAsync("post 7")).ShouldBe((0, false));
    }

    [Fact]
    public async Task Erase_TargetsNobodyElseAskedFor_AreLeftAgain()
    {
        await GiveAsync("ann", [.. Enumerable.Range(0, 30).Select(index => $"post {index}")]);
        await ReplaceAsync();

        await EndAsync(await StartAsync("erase-user", "ann", """{"user_id":"ann"}"""));

        await HeartSilo.UntilAsync(async () => !await _silo.IsActiveAsync("post 3") && !await _silo.IsActiveAsync("post 29"));
        (await ReadAsync("post 3")).ShouldBe((0, false));
    }

    [Fact]
    public async Task Merge_ReadersHearts_AreTheAccountsAndCountOnce()
    {
        await GiveAsync("reader:r", "mine", "both", "taken back");
        await GiveAsync("ann", "both", "hers");
        await _silo.Target("taken back").WithdrawAsync("reader:r");
        var seen = new List<long>();
        _silo.Ledger.OnAppend = (rows, append) =>
        {
            seen.Add(rows.Length);
            return append();
        };

        var job = await EndAsync(await StartAsync("merge-user", "reader:r\nann", """{"reader":"reader:r","account":"ann"}"""));

        job.Progress.ShouldBe("""{"moved":1,"already":1,"targets":2}""");
        (await ReadAsync("mine")).ShouldBe((1, true));
        (await ReadAsync("both")).ShouldBe((1, true));
        (await ReadAsync("hers")).ShouldBe((1, true));
        (await ReadAsync("mine", "reader:r")).ShouldBe((1, false));
        (await ReadAsync("taken back")).ShouldBe((0, false));
        await _silo.ShouldBeExactAsync("mine");
        await _silo.ShouldBeExactAsync("both");
        (await EventsAsync()).Where(logged => logged.TargetId == "mine").Select(logged => (logged.UserId, logged.Kind, logged.Origin.Cause))
            .ShouldBe([("reader:r", HeartEventKind.Given, HeartCause.User), ("ann", HeartEventKind.Given, HeartCause.Merged), ("reader:r", HeartEventKind.Withdrawn, HeartCause.Merged)]);

        var before = (await EventsAsync()).Count;
        (await EndAsync(await StartAsync("merge-user", "reader:r\nann", """{"reader":"reader:r","account":"ann"}"""))).Progress.ShouldBe("""{"moved":0,"already":0,"targets":0}""");
        (await EventsAsync()).Count.ShouldBe(before);
    }

    [Fact]
    public async Task Erase_AccountWithAMergedReader_ForgetsTheReaderToo()
    {
        await GiveAsync("reader:r", "mine");
        await EndAsync(await StartAsync("merge-user", "reader:r\nann", """{"reader":"reader:r","account":"ann"}"""));
        await GiveAsync("reader:r", "later");

        var job = await EndAsync(await StartAsync("erase-user", "ann", """{"user_id":"ann"}"""));

        (await ReadAsync("mine")).ShouldBe((0, false));
        (await ReadAsync("later")).ShouldBe((0, false));
        (await EventsAsync()).ShouldAllBe(logged => logged.UserId == "erased:" + job.Id);
    }

    [Fact]
    public async Task Export_UserWithAHistory_TellsAllOfItAndWhatStands()
    {
        await GiveAsync("ann", [.. Enumerable.Range(0, 120).Select(index => $"post {index}")]);
        await GiveAsync("ben", "post 1");
        await _silo.Target("post 1").WithdrawAsync("ann");
        await Log.DecideAsync(new Decision(5, 1, null, "ann", _silo.Keys.OfUser("ann"), new HeartOrigin("key:op"), 0, """{"action":"blocked"}"""), Cancellation);
        await Quota("ann").AcquireAsync([new QuotaClaim("user", 3)], Cancellation);

        var (lines, hearts, events, pages) = ("", 0, 0, 0);
        for (string? after = null; pages == 0 || after is not null; pages++)
        {
            var page = await _silo.Grains.GetGrain<IUserGrain>(0).ExportAsync("ann", after, Cancellation);
            page.Outcome.ShouldBe(HeartOutcome.Committed);
            (lines, hearts, events, after) = (lines + System.Text.Encoding.UTF8.GetString(page.Lines), hearts + page.Hearts, events + page.Events, page.Next);
        }

        (hearts, events, pages).ShouldBe((119, 122, 3));
        lines.ShouldNotContain("ben");
        lines.Split('\n').Count(line => line.Contains("\"type\":\"heart\"", StringComparison.Ordinal)).ShouldBe(119);
        lines.ShouldContain("""{"type":"decision","action":"decided","timestamp":"1970-01-01T00:00:00.000001Z","actor":"key:op","detail":{"action":"blocked"}}""");
        lines.ShouldContain("\"type\":\"quota\"");
    }

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected IEventLog Log => _silo.Services.GetRequiredService<IEventLog>();

    private Task<HeartSilo> StartAsync(params (string Key, string Value)[] settings) =>
        HeartSilo.StartAsync(_store, [("Jobs:WakePeriod", "00:00:00.100"), ("Jobs:MaxRest", "00:00:00.100"), .. settings]);

    private protected async Task ReplaceAsync(params (string Key, string Value)[] settings)
    {
        await _silo.DisposeAsync();
        _silo = await StartAsync(settings);
    }

    private async Task GiveUpAsync(LedgerGate gate)
    {
        _silo.Ledger.OnAppend = (_, _) => new(AppendOutcome.Refused);
        gate.Open();
        await ReplaceAsync();
    }

    private protected IRateLimitGrain Quota(string user) => _silo.Grains.GetGrain<IRateLimitGrain>(QuotaKey.Of(QuotaDimension.User, user));

    private protected async Task GiveAsync(string user, params string[] targets)
    {
        foreach (var target in targets) (await _silo.Target(target).GiveAsync(user)).Outcome.ShouldBe(HeartOutcome.Committed);
    }

    private protected async Task<(long Count, bool Hearted)> ReadAsync(string target, string user = "ann")
    {
        var state = await _silo.Target(target).ReadAsync(user);
        return (state.Count, state.Hearted!.Value);
    }

    private protected async Task<IReadOnlyList<LoggedEvent>> EventsAsync() => await Log.ReadAsync(EventPosition.Start, long.MaxValue, default, 10_000, Cancellation);

    private protected async Task<JobView> StartAsync(string kind, string subject, string arguments, string? network = null) =>
        (await _silo.Grains.GetGrain<IJobDeskGrain>(0).StartAsync(new JobOrder(kind, subject, arguments, "key:op", network), Cancellation)).Job!;

    private protected Task<JobView> EndAsync(JobView job) => EndAsync(job.Id);

    private protected async Task<JobView> EndAsync(string id)
    {
        JobView? job = null;
        await HeartSilo.UntilAsync(async () => (job = (await _silo.Grains.GetGrain<IJobDeskGrain>(0).ReadAsync(id, Cancellation)).Job)!.State != JobState.Running);
        return job!;
    }
}

public sealed partial class MemoryUserWorkTests : UserWorkTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Memory());
}

public sealed class SqliteUserWorkTests : UserWorkTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Sqlite());
}

public sealed class PostgresUserWorkTests(LocalPostgres postgres) : UserWorkTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => HeartStore.PostgresAsync(postgres);
}
