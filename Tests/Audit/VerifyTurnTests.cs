using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace HeartGrains.Tests.Audit;

/// <summary>When comparisons begin, go on and end; what they find is told elsewhere.</summary>
public sealed class VerifyTurnTests : IAsyncLifetime
{
    private static readonly HeartOrigin Operator = new("key:operator");
    private readonly HeartStore _hearts = HeartStore.Memory();
    private readonly ShiftedTime _time = new();
    private IAuditStore _store = null!;
    private HeartSilo _silo = null!;
    private Action<string, object?[]> _before = static (_, _) => { };
    private int _scans;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _silo = await HeartSilo.StartAsync(_hearts, null, services => services.AddSingleton<TimeProvider>(_time).AddSingleton(provider => Interposed.Before<IAuditStore>(
            (IAuditStore)provider.GetRequiredService<HookedLedger>().Inner,
            (method, arguments) =>
            {
                _before(method, arguments);
                if (method == nameof(IAuditStore.ScanTargetAsync)) Interlocked.Increment(ref _scans);
            })));
        foreach (var target in (string[])["one", "two", "three"]) await _silo.Target(target).GiveAsync("ann");
        _store = _silo.Get<IAuditStore>();
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        _hearts.Dispose();
    }

    [Fact]
    public async Task VerifyAsync_ResultThatNobodyFetched_IsNotToldToWhoComesLater()
    {
        var grain = _silo.Grains.GetGrain<IVerifyGrain>("one");
        var isNew = false;

        // What has compared may not have ended yet when time goes on: then it is fresh, and all is done again.
        for (var attempt = 0; !isNew && attempt < 5; attempt++)
        {
            var before = _scans;
            using var gate = CloseScans();
            (await grain.VerifyAsync(false, Operator, Cancellation)).Report.ShouldBeNull();
            gate.Set();
            await HeartSilo.UntilAsync(() => Task.FromResult(_scans == before + 1));
            _time.Ahead += TimeSpan.FromMinutes(5);

            await HeartSilo.UntilAsync(async () => (await grain.VerifyAsync(false, Operator, Cancellation)).Report is not null);

            isNew = _scans == before + 2;
        }

        isNew.ShouldBeTrue();
    }

    [Fact]
    public async Task VerifyAsync_RepairWhileAnotherRuns_ComparesForItself()
    {
        using var gate = CloseScans();
        var grain = _silo.Grains.GetGrain<IVerifyGrain>("one");
        (await grain.VerifyAsync(false, Operator, Cancellation)).Report.ShouldBeNull();

        var repair = grain.VerifyAsync(true, Operator, Cancellation).AsTask();
        gate.Set();

        if ((await repair).Report is null) await HeartSilo.UntilAsync(async () => (await grain.VerifyAsync(true, Operator, Cancellation)).Report is not null);
        _scans.ShouldBe(2);
    }

    [Fact]
    public async Task RunPageAsync_ListingTakesLongerThanAPage_GoesOnAllTheSame()
    {
        _before = (method, _) =>
        {
            if (method is nameof(IAuditStore.ListTargetsAsync)) _time.Ahead += TimeSpan.FromSeconds(2);
        };
        var work = _silo.Services.GetServices<IJobWork>().Single(work => work.Kind == VerifyJob.Kind);
        var job = Job.Of(new JobOrder(VerifyJob.Kind, "all", "{}", "key:op"), "subject", 1);

        for (var page = 0; page < 10 && job.State == JobState.Running; page++) job = job.After(await work.RunPageAsync(job, Cancellation), 2);

        job.State.ShouldBe(JobState.Done);
        job.Progress.ShouldContain("\"targets\":3");
    }

    [Fact]
    public async Task Watch_TargetThatCannotBeCompared_KeepsNoOtherFromBeing()
    {
        var seen = new HashSet<Guid>();
        var (targets, bad) = (await _store.ListTargetsAsync(Guid.Empty, 10, Cancellation), Guid.Empty);
        bad = targets[0];
        _before = (method, arguments) =>
        {
            if (method != nameof(IAuditStore.ScanTargetAsync)) return;
            if ((Guid)arguments[0]! == bad) throw new LedgerException("It takes too long.");
            lock (seen) seen.Add((Guid)arguments[0]!);
        };
        var options = Options.Create(new AuditOptions { WatchPeriod = TimeSpan.FromMilliseconds(10), WatchTargets = 2 });
        using var watch = new DriftWatch(_store, _silo.Get<Verifier>(), options, TimeProvider.System, NullLogger<DriftWatch>.Instance);

        await watch.StartAsync(Cancellation);
        await HeartSilo.UntilAsync(() =>
        {
            lock (seen) return Task.FromResult(seen.Count == 2);
        });
        await watch.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Repair_StoppedOnTheWay_HasBeenDecided()
    {
        // Another target's grain is asked: it is ahead of this one's log, as if that had been cut.
        await _silo.Target("two").GiveAsync("ben");
        var verifier = ActivatorUtilities.CreateInstance<Verifier>(_silo.Services, _store, _time);
        _before = (method, _) =>
        {
            if (method == nameof(IAuditStore.RebuildAsync)) throw new LedgerException("The ledger is down.");
        };

        await Should.ThrowAsync<LedgerException>(() => verifier.VerifyTargetAsync(_silo.Keys.OfTarget("one"), "two", Operator, Cancellation));

        (await _silo.Get<IEventLog>().ReadAsync(EventPosition.Start, long.MaxValue, default, 10, Cancellation)).ShouldContain(logged => logged.Detail != null && logged.Detail.Contains("\"repaired\""));
    }

    private ManualResetEventSlim CloseScans()
    {
        var gate = new ManualResetEventSlim();
        _before = (method, _) =>
        {
            // Off the grain's turns.
            if (method == nameof(IAuditStore.ScanTargetAsync)) gate.Wait(TimeSpan.FromSeconds(60), CancellationToken.None);
        };
        return gate;
    }

    /// <summary>The system's time, ahead by as much as a test likes; its timers do not know.</summary>
    private sealed class ShiftedTime : TimeProvider
    {
        private long _ahead;

        public TimeSpan Ahead
        {
            get => TimeSpan.FromTicks(Interlocked.Read(ref _ahead));
            set => Interlocked.Exchange(ref _ahead, value.Ticks);
        }

        public override long TimestampFrequency => System.TimestampFrequency;

        public override long GetTimestamp() => System.GetTimestamp() + (long)(Ahead.TotalSeconds * TimestampFrequency);
    }
}
