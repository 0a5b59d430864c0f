using HeartGrains.Audit;
using HeartGrains.Diagnostics;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Memory;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Ledger;

public class LedgerWriterTests
{
    /// <summary>
    /// A thousand seeds of a ledger that loses answers, refuses and lets rivals write: what is settled as committed is in the log exactly once,
    /// what is settled as refused or in conflict is not there, and every target's versions run 1, 2, 3 …
    /// </summary>
    [Fact]
    public async Task Settlement_LedgerThatFailsInEveryWay_TellsTheTruth()
    {
        // Lost answers are waited for: many seeds wait beside each other.
        await Parallel.ForEachAsync(Enumerable.Range(1, 1000), new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (seed, _) => await SimulateAsync(seed));
    }

    [Fact]
    public async Task TryEnqueue_FullQueue_RefusesAtOnce()
    {
        var gate = new GatedLedger();
        var writer = Writer(gate, new LedgerOptions { QueueLimit = 5, BatchLimit = 1 });
        var owner = new Owner(writer, Guid.NewGuid());
        for (var i = 0; i < 6; i++)
        {
            owner.TryEnqueue(i).ShouldBeTrue();
            if (i == 0) await gate.Entered.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        }

        owner.TryEnqueue(6).ShouldBeFalse();
        gate.Open.SetResult();
        await owner.AllSettledAsync();
        owner.Settled.Count(entry => entry.Outcome == EntryOutcome.Committed).ShouldBe(6);
    }

    [Fact]
    public async Task Enqueue_AppendHangs_RefusesAtOnceAndWhoWaitedSoLongWhenItEnds()
    {
        var time = new FakeTimeProvider();
        var gate = new GatedLedger();
        var writer = Writer(gate, new LedgerOptions { CommitDelay = TimeSpan.Zero }, time);
        var owner = new Owner(writer, Guid.NewGuid());
        owner.TryEnqueue(0).ShouldBeTrue();
        await gate.Entered.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        owner.TryEnqueue(1).ShouldBeTrue();
        time.Advance(TimeSpan.FromMilliseconds(900));
        owner.TryEnqueue(2).ShouldBeTrue();
        time.Advance(TimeSpan.FromMilliseconds(200));

        owner.TryEnqueue(3).ShouldBeFalse();
        gate.Open.SetResult();
        await owner.AllSettledAsync();

        owner.Settled.Select(static entry => (entry.UserId, entry.Outcome)).ShouldBe(
            [("u0", EntryOutcome.Committed), ("u1", EntryOutcome.Refused), ("u2", EntryOutcome.Committed)], ignoreOrder: true);
    }

    [Fact]
    public async Task StopAsync_EntriesWaiting_SettlesThemFirst()
    {
        var gate = new GatedLedger();
        var writer = Writer(gate, new LedgerOptions());
        var owner = new Owner(writer, Guid.NewGuid());
        for (var i = 0; i < 50; i++) owner.TryEnqueue(i).ShouldBeTrue();

        var stopping = writer.StopAsync(CancellationToken.None);
        owner.TryEnqueue(50).ShouldBeFalse();
        stopping.IsCompleted.ShouldBeFalse();
        gate.Open.SetResult();
        await stopping;
        owner.Settled.Count.ShouldBe(50);
    }

    [Fact]
    public async Task CommitDelay_AfterACrowd_GathersTheNextBatchAndNeverKeepsALoneHeartWaiting()
    {
        var gate = new GatedLedger();
        var time = new WatchedTime();
        var writer = Writer(gate, new LedgerOptions { CommitDelay = TimeSpan.FromMilliseconds(1) }, time);
        var owner = new Owner(writer, Guid.NewGuid());

        owner.TryEnqueue(0).ShouldBeTrue();
        await gate.Entered.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        for (var i = 1; i < 3; i++) owner.TryEnqueue(i).ShouldBeTrue();
        gate.Open.SetResult();
        await time.Waiting.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        gate.Batches.ShouldBe([1, 2], "the first was alone and did not wait");

        for (var i = 3; i < 6; i++) owner.TryEnqueue(i).ShouldBeTrue();
        time.Advance(TimeSpan.FromMilliseconds(1));
        await owner.AllSettledAsync();
        gate.Batches.ShouldBe([1, 2, 3]);
    }

    private static async Task SimulateAsync(int seed)
    {
        var ledger = new FaultyLedger(new MemoryLedger(), seed, faults: 0.08);
        var writer = Writer(ledger, new LedgerOptions { BatchLimit = 16, AppendDeadline = TimeSpan.FromMilliseconds(100), CommitDelay = TimeSpan.Zero });
        var owners = Enumerable.Range(0, 5).Select(_ => new Owner(writer, Guid.NewGuid())).ToArray();
        var dice = new Random(seed);
        for (var step = 0; step < 60; step++)
        {
            owners[dice.Next(owners.Length)].TryEnqueue(step).ShouldBeTrue();
            if (dice.Next(8) == 0) await Task.Yield();
        }

        foreach (var owner in owners)
        {
            await owner.AllSettledAsync();
            var log = ledger.Log.Where(row => row.Target == owner.Stream.Target).ToList();
            log.Select(row => row.Version).ShouldBe(Enumerable.Range(1, log.Count).Select(version => (long)version), $"seed {seed}");
            foreach (var entry in owner.Settled)
            {
                var rows = log.Count(row => row.Heart == entry.Heart && row.Writer == owner.Stream.Writer);
                if (entry.Outcome == EntryOutcome.Committed) rows.ShouldBe(1, $"seed {seed}: committed");
                else if (entry.Outcome == EntryOutcome.Unknown) rows.ShouldBeLessThanOrEqualTo(1, $"seed {seed}: unknown");
                else rows.ShouldBe(0, $"seed {seed}: {entry.Outcome}");
            }
        }
    }

    private static LedgerWriter Writer(IHeartLedger ledger, LedgerOptions options, TimeProvider? time = null) =>
        new(ledger, Options.Create(options), time ?? TimeProvider.System, new GrainMetrics(), NullLogger<LedgerWriter>.Instance);

    private sealed class Entry : LedgerEntry;

    /// <summary>Stands for an activation: queues entries and collects them when they are settled.</summary>
    private sealed class Owner
    {
        private readonly LedgerWriter _writer;
        private readonly Lock _gate = new();
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _queued;
        private bool _isWaiting;

        public Owner(LedgerWriter writer, Guid target)
        {
            _writer = writer;
            Stream = new LedgerStream(target, target.ToString(), 0, _ => Collect());
        }

        public LedgerStream Stream { get; }
        public List<LedgerEntry> Settled { get; } = [];

        public bool TryEnqueue(int user)
        {
            var entry = new Entry { Stream = Stream, Heart = new HeartId((ulong)user, 7), UserId = $"u{user}", Kind = HeartEventKind.Given };
            lock (_gate) _queued++;
            if (_writer.Enqueue(entry) == EnqueueResult.Queued) return true;
            lock (_gate) _queued--;
            return false;
        }

        public Task AllSettledAsync()
        {
            lock (_gate) _isWaiting = true;
            Collect();
            return _done.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }

        private void Collect()
        {
            lock (_gate)
            {
                for (var entry = Stream.TakeSettled(); entry is not null; entry = entry.Next) Settled.Add(entry);
                if (_isWaiting && Settled.Count == _queued) _done.TrySetResult();
            }
        }
    }

    /// <summary>Tells when somebody begins to wait.</summary>
    private sealed class WatchedTime : FakeTimeProvider
    {
        public TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Waiting.TrySetResult();
            return timer;
        }
    }

    /// <summary>A ledger whose first append waits until it is let go.</summary>
    private sealed class GatedLedger : IHeartLedger
    {
        private readonly MemoryLedger _inner = new();

        public IReadOnlyList<int> Batches { get; private set; } = [];
        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource Open { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask<AppendOutcome> AppendAsync(ReadOnlyMemory<HeartEvent> batch)
        {
            Entered.TrySetResult();
            await Open.Task;
            Batches = [.. Batches, batch.Length];
            return await _inner.AppendAsync(batch);
        }

        public Task InitializeAsync(string keyFingerprint, CancellationToken cancellationToken) => Task.CompletedTask;
        public ValueTask<IReadOnlyList<WrittenVersion>> FindVersionsAsync(ReadOnlyMemory<HeartEvent> batch, CancellationToken cancellationToken) => _inner.FindVersionsAsync(batch, cancellationToken);
        public ValueTask<TargetSnapshot> LoadAsync(Guid target, int recentLimit, CancellationToken cancellationToken) => _inner.LoadAsync(target, recentLimit, cancellationToken);
        public ValueTask<CurrentHeart?> FindHeartAsync(Guid target, HeartId heart, CancellationToken cancellationToken) => _inner.FindHeartAsync(target, heart, cancellationToken);
        public ValueTask<bool> SetOpeningAsync(Guid target, string targetId, long opening, OpeningDecision decide, CancellationToken cancellationToken) => _inner.SetOpeningAsync(target, targetId, opening, decide, cancellationToken);
        public ValueTask<HeartUserPage> ListUsersAsync(Guid target, long before, int limit, CancellationToken cancellationToken) => _inner.ListUsersAsync(target, before, limit, cancellationToken);
        public ValueTask<TopTarget[]> ListTopAsync(int limit, CancellationToken cancellationToken) => _inner.ListTopAsync(limit, cancellationToken);
        public ValueTask<int> FoldAsync(int limit, CancellationToken cancellationToken) => _inner.FoldAsync(limit, cancellationToken);
        public ValueTask CheckAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
