using System.Collections.Concurrent;
using System.Globalization;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Jobs;

/// <summary>Long operations over every ledger.</summary>
public abstract class JobTests : IAsyncLifetime
{
    private protected static readonly (string Key, string Value)[] Settings = [("Jobs:WakePeriod", "00:00:00.100"), ("Jobs:MaxRest", "00:00:00.100")];
    private readonly PageWork _work = new();
    private HeartStore _store = null!;

    private protected abstract Task<HeartStore> OpenStoreAsync();

    public async ValueTask InitializeAsync() => _store = await OpenStoreAsync();

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        GC.SuppressFinalize(this);
        return default;
    }

    [Fact]
    public async Task StartAsync_Job_DoesItsPagesInOrderAndForgetsItsArguments()
    {
        await using var silo = await StartAsync();

        var job = await EndAsync(silo, (await OrderAsync(silo, "ann", "5")).Job!.Id);

        _work.Pages.ShouldBe([0, 1, 2, 3, 4]);
        (job.State, job.Progress, job.Actor, job.Kind).ShouldBe((JobState.Done, """{"pages":5}""", "key:test", "pages"));
        job.FinishedMicros!.Value.ShouldBeGreaterThanOrEqualTo(job.StartedMicros);
        var stored = (await Store(silo).FindAsync(job.Id, Cancellation))!;
        (stored.Arguments, stored.Checkpoint, stored.Step).ShouldBe((null, null, 5));
        stored.Subject.ShouldNotContain("ann");
        (await Desk(silo).ReadAsync("j0000000000000000000000", Cancellation)).ShouldBe(new JobReply(HeartOutcome.Committed, null));
    }

    [Fact]
    public async Task StartAsync_Repeated_JoinsWhatRunsAndStartsAnewWhenItHasEnded()
    {
        await using var silo = await StartAsync();
        _work.Close(2);
        var first = (await OrderAsync(silo, "ann", "4")).Job!;
        await _work.Reached;

        (await OrderAsync(silo, "ann", "9")).Job!.Id.ShouldBe(first.Id);
        var other = (await OrderAsync(silo, "ben", "1")).Job!;
        other.Id.ShouldNotBe(first.Id);
        (await EndAsync(silo, other.Id)).State.ShouldBe(JobState.Done);
        (await Desk(silo).ReadAsync(first.Id, Cancellation)).Job!.State.ShouldBe(JobState.Running);
        _work.Open();

        (await EndAsync(silo, first.Id)).Progress.ShouldBe("""{"pages":4}""");
        (await OrderAsync(silo, "ann", "1")).Job!.Id.ShouldNotBe(first.Id);
    }

    [Fact]
    public async Task RunPageAsync_Throws_IsDoneAgainAfterARest()
    {
        await using var silo = await StartAsync();
        _work.FailuresLeft = 3;

        (await EndAsync(silo, (await OrderAsync(silo, "ann", "3")).Job!.Id)).State.ShouldBe(JobState.Done);

        _work.Pages.ShouldBe([0, 0, 0, 0, 1, 2]);
    }

    [Fact]
    public async Task Silo_StoppedInThePage_AnotherGoesOnAtTheCheckpoint()
    {
        string id;
        await using (var first = await StartAsync())
        {
            _work.Close(3);
            id = (await OrderAsync(first, "ann", "6")).Job!.Id;
            await _work.Reached;
        }

        _work.Open();
        await using var second = await StartAsync();

        // Nobody asks: it is found.
        (await EndAsync(second, id)).Progress.ShouldBe("""{"pages":6}""");
        _work.Pages.ShouldBe([0, 1, 2, 3, 3, 4, 5]);
    }

    [Fact]
    public async Task TwoClusters_OverOneStore_DoEachPageOnceMoreAtMostAndEndOnce()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        _work.Close(0);
        var ids = await Task.WhenAll(OrderAsync(first, "ann", "20"), OrderAsync(second, "ann", "20"));
        ids[0].Job!.Id.ShouldBe(ids[1].Job!.Id);
        await _work.Reached;
        _work.Open();

        var job = await EndAsync(first, ids[0].Job!.Id);

        job.Progress.ShouldBe("""{"pages":20}""");
        (await Store(first).FindAsync(job.Id, Cancellation))!.Step.ShouldBe(20);
        _work.Pages.GroupBy(page => page).ShouldAllBe(page => page.Count() <= 2);
        _work.Pages.Distinct().Order().ShouldBe(Enumerable.Range(0, 20));
    }

    [Fact]
    public async Task SaveAsync_StepThatIsNotNext_IsRefused()
    {
        await using var silo = await StartAsync(withWork: false);
        var (store, job) = (Store(silo), Job.Of(new JobOrder("pages", "x", """{"n":1}""", "claimed", "203.0.113.0/24"), "hash", 7));
        (await store.OpenAsync(job, Cancellation)).ShouldBe(job);
        (await store.OpenAsync(Job.Of(new JobOrder("pages", "x", "2", "jwt"), "hash", 9), Cancellation)).ShouldBe(job);
        var next = job.After(JobPage.Next("a", "{}"), 9);

        (await store.SaveAsync(next with { Step = 2 }, Cancellation)).ShouldBeFalse();
        (await store.SaveAsync(next, Cancellation)).ShouldBeTrue();
        (await store.SaveAsync(next, Cancellation)).ShouldBeFalse();
        (await store.FindOpenAsync("pages", "hash", Cancellation)).ShouldBe(next);
        next.Origin(HeartCause.Moved).ShouldBe(new HeartOrigin("claimed", "203.0.113.0/24", HeartCause.Moved, job.Id));
        (await store.ListOpenAsync("", 5, Cancellation)).ShouldBe([new OpenJob(job.Id, "pages", "hash")]);
        (await store.SaveAsync(next.After(JobPage.Failed("""{"reason":"no"}"""), 10), Cancellation)).ShouldBeTrue();
        (await store.FindOpenAsync("pages", "hash", Cancellation)).ShouldBeNull();
        (await store.FindAsync(job.Id, Cancellation)).ShouldBe(job with { Arguments = null, State = JobState.Failed, Step = 2, Progress = """{"reason":"no"}""", FinishedMicros = 10 });
        (await store.FindAsync(job.Id, Cancellation))!.Network.ShouldBeNull();
    }

    [Fact]
    public async Task ListOpenAsync_PageByPage_NamesEachOnce()
    {
        await using var silo = await StartAsync(withWork: false);
        var jobs = Enumerable.Range(0, 5).Select(n => Job.Of(new JobOrder("nobodys", "x", "1", "claimed"), $"hash{n}", n)).ToList();
        foreach (var job in jobs) await Store(silo).OpenAsync(job, Cancellation);

        var found = new List<OpenJob>();
        while (await Store(silo).ListOpenAsync(found.Count == 0 ? "" : found[^1].Id, 2, Cancellation) is { Count: > 0 } page) found.AddRange(page);

        found.ShouldBe(jobs.Select(job => new OpenJob(job.Id, job.Kind, job.Subject)), ignoreOrder: true);
    }

    [Fact]
    public async Task Silo_ManyThatCannotEnd_KeepNoOtherAsleep()
    {
        var last = Job.Of(new JobOrder("pages", "ann", "3", "key:test"), "hash", 1_000) with { Id = "j" + new string('z', 22) };
        await using (var first = await StartAsync(withWork: false))
        {
            for (var number = 0; number < 130; number++) await Store(first).OpenAsync(Job.Of(new JobOrder("nobodys", "x", "1", "claimed"), $"hash{number}", number), Cancellation);
            await Store(first).OpenAsync(last, Cancellation);
        }

        await using var second = await StartAsync();

        (await EndAsync(second, last.Id)).State.ShouldBe(JobState.Done);
    }

    [Fact]
    public async Task Silo_OperationEndedLongAgo_ForgetsItAndKeepsOthers()
    {
        var (ended, recent, running) = (OfSubject("a"), OfSubject("b"), OfSubject("c"));
        await using (var first = await StartAsync(withWork: false))
        {
            foreach (var job in (Job[])[ended, recent, running]) await Store(first).OpenAsync(job, Cancellation);
            await Store(first).SaveAsync(ended.After(JobPage.Done("{}"), 10), Cancellation);
            await Store(first).SaveAsync(recent.After(JobPage.Done("{}"), (TimeProvider.System.GetUtcNow().Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond), Cancellation);
        }

        await using var second = await StartAsync(withWork: false);

        await HeartSilo.UntilAsync(async () => await Store(second).FindAsync(ended.Id, Cancellation) is null);
        (await Store(second).FindAsync(recent.Id, Cancellation)).ShouldNotBeNull();
        (await Store(second).FindOpenAsync("nobodys", "c", Cancellation)).ShouldBe(running);

        static Job OfSubject(string subject) => Job.Of(new JobOrder("nobodys", "x", "1", "claimed"), subject, 1);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static IJobDeskGrain Desk(HeartSilo silo) => silo.Grains.GetGrain<IJobDeskGrain>(0);

    private static IJobStore Store(HeartSilo silo) => silo.Services.GetRequiredService<IJobStore>();

    private protected static Task<JobReply> OrderAsync(HeartSilo silo, string subject, string pages) =>
        Desk(silo).StartAsync(new JobOrder("pages", subject, pages, "key:test"), Cancellation).AsTask();

    private Task<HeartSilo> StartAsync(bool withWork = true) =>
        HeartSilo.StartAsync(_store, null, services => { if (withWork) services.AddSingleton<IJobWork>(_work); }, Settings);

    private protected static async Task<JobView> EndAsync(HeartSilo silo, string id)
    {
        JobView? job = null;
        await HeartSilo.UntilAsync(async () => (job = (await Desk(silo).ReadAsync(id, Cancellation)).Job)!.State != JobState.Running);
        return job!;
    }

    /// <summary>A job of as many pages as its arguments say.</summary>
    private protected sealed class PageWork : IJobWork
    {
        private readonly ConcurrentQueue<int> _pages = new();
        private LedgerGate _gate = new();
        private int _closedAt = -1;

        public string Kind => "pages";

        public int[] Pages => [.. _pages];

        public int FailuresLeft { get; set; }

        public Task Reached => _gate.Reached;

        public void Close(int page) => (_gate, _closedAt) = (new LedgerGate(), page);

        public void Open()
        {
            _closedAt = -1;
            _gate.Open();
        }

        public async ValueTask<JobPage> RunPageAsync(Job job, CancellationToken cancellationToken)
        {
            var page = job.Checkpoint is null ? 0 : int.Parse(job.Checkpoint, CultureInfo.InvariantCulture);
            _pages.Enqueue(page);
            if (FailuresLeft-- > 0) throw new LedgerException("down");
            if (page == _closedAt) await _gate.PassAsync().WaitAsync(cancellationToken);
            page++;
            var progress = $$"""{"pages":{{page}}}""";
            return page == int.Parse(job.Arguments!, CultureInfo.InvariantCulture) ? JobPage.Done(progress) : JobPage.Next($"{page}", progress);
        }
    }
}

public sealed class MemoryJobTests : JobTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Memory());
}

public sealed class SqliteJobTests : JobTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Sqlite());
}

public sealed class PostgresJobTests(LocalPostgres postgres) : JobTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => HeartStore.PostgresAsync(postgres);

    [Fact]
    public async Task TwoSilosOfACluster_WorkOnOneJobOnce()
    {
        using var store = await OpenStoreAsync();
        var work = new PageWork();
        await using var first = await HeartSilo.StartAsync(store, null, services => services.AddSingleton<IJobWork>(work), Settings);
        await using var second = await HeartSilo.StartAsync(store, first, services => services.AddSingleton<IJobWork>(work), Settings);

        work.Close(0);
        var orders = await Task.WhenAll(Enumerable.Range(0, 8).Select(index => OrderAsync(index % 2 == 0 ? first : second, "ann", "9")));
        work.Open();

        orders.Select(order => order.Job!.Id).Distinct().ShouldHaveSingleItem();
        (await EndAsync(second, orders[0].Job!.Id)).Progress.ShouldBe("""{"pages":9}""");
        work.Pages.ShouldBe(Enumerable.Range(0, 9));
    }
}
