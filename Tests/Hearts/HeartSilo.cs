using System.Net;
using System.Net.Sockets;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Hosting;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Moderation;
using HeartGrains.RateLimiting;
using HeartGrains.Resilience;
using HeartGrains.Storage;
using HeartGrains.Tests.Infrastructure;
using HeartGrains.Users;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Core.Internal;
using Orleans.Runtime;

namespace HeartGrains.Tests.Hearts;

/// <summary>A real silo, registered as the programs register theirs, with its ledger behind hooks.</summary>
internal sealed class HeartSilo : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly IHost _host;
    private readonly int _port;
    private Task? _stopping;

    private HeartSilo(IHost host, int port)
    {
        (_host, _port) = (host, port);
        Ledger = host.Services.GetRequiredService<HookedLedger>();
        Breaker = host.Services.GetRequiredService<Breakers>().Of(Breakers.Ledger);
        Keys = host.Services.GetRequiredService<HeartKeys>();
        Writer = host.Services.GetRequiredService<LedgerWriter>();
    }

    public HookedLedger Ledger { get; }
    public Breaker Breaker { get; }
    public HeartKeys Keys { get; }
    public LedgerWriter Writer { get; }

    /// <param name="store">Where the hearts are.</param>
    /// <param name="settings">Settings below <c>HeartGrains:</c>.</param>
    public static Task<HeartSilo> StartAsync(HeartStore store, params (string Key, string Value)[] settings) => StartAsync(store, null, null, settings);

    /// <param name="store">Where the hearts are.</param>
    /// <param name="beside">A silo of the same cluster, if any.</param>
    /// <param name="configure">Adds services.</param>
    /// <param name="settings">Settings below <c>HeartGrains:</c>.</param>
    public static async Task<HeartSilo> StartAsync(HeartStore store, HeartSilo? beside, Action<IServiceCollection>? configure, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);

        // Tests fold when they want to.
        var values = new Dictionary<string, string?>
        {
            ["HeartGrains:Ledger:FoldPeriod"] = "00:01:00",
            ["HeartGrains:Audit:SealPeriod"] = "00:01:00",
            ["HeartGrains:Audit:WatchPeriod"] = "00:00:00",
            ["HeartGrains:Ledger:AppendDeadline"] = "00:00:10",
            ["HeartGrains:Ledger:StallTime"] = "00:00:10",
            ["HeartGrains:Ledger:CommandTimeout"] = "00:00:30",
            ["ConnectionStrings:Postgres"] = store.Postgres.Length > 0 ? LocalPostgres.AsService(store.Postgres) : "",

            // Most want to see each call fail for itself.
            ["HeartGrains:Breakers:Ledger:MinimumCalls"] = "1000000",
        };
        foreach (var (key, value) in settings) values["HeartGrains:" + key] = value;
        builder.Configuration.AddInMemoryCollection(values);
        var host = new HostSettings { Mode = store.Mode, Data = store.Data, Key = "a key that only tests know" };
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddHeartGrains(host, builder.Configuration);
        builder.Services.AddSingleton(provider => new HookedLedger(store.Open(provider.GetRequiredService<IOptions<LedgerOptions>>().Value)));
        builder.Services.AddSingleton<IHeartLedger>(provider =>
            new GuardedLedger(provider.GetRequiredService<HookedLedger>(), provider.GetRequiredService<Breakers>().Of(Breakers.Ledger), TimeProvider.System));
        builder.Services.AddSingleton(static provider => (ISealStore)provider.GetRequiredService<HookedLedger>().Inner);
        builder.Services.AddSingleton(static provider => (IAuditStore)provider.GetRequiredService<HookedLedger>().Inner);
        builder.Services.AddSingleton(provider => (IEventLog)provider.GetRequiredService<HookedLedger>().Inner);
        builder.Services.AddSingleton(provider => (IModerationStore)provider.GetRequiredService<HookedLedger>().Inner);
        builder.Services.AddSingleton(provider => (IJobStore)provider.GetRequiredService<HookedLedger>().Inner);
        builder.Services.AddSingleton(provider => (IUserLog)provider.GetRequiredService<HookedLedger>().Inner);
        configure?.Invoke(builder.Services);
        var port = FreePort();
        builder.UseOrleans(silo =>
        {
            silo.UseHeartGrainsDefaults();
            silo.UseLocalhostClustering(port, FreePort(), beside is null ? null : new IPEndPoint(IPAddress.Loopback, beside._port));
            silo.AddRateLimiting(spareSeats: 0);
            silo.AddProcessGrainStorage(RateLimitHosting.StorageName);
        });
        builder.Services.ShareMachine();
        var built = builder.Build();
        await built.StartAsync();
        return new HeartSilo(built, port);
    }

    public T Get<T>() where T : notnull => _host.Services.GetRequiredService<T>();

    public IServiceProvider Services => _host.Services;

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public HeartTarget Target(string targetId) => new(Grains.GetGrain<IHeartGrain>(targetId));

    /// <summary>Drops the target's activation; the next call reads the ledger.</summary>
    public async Task ForgetAsync(string targetId)
    {
        await Grains.GetGrain<IHeartGrain>(targetId).AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        await UntilAsync(async () => !await IsActiveAsync(targetId));
    }

    public async Task<bool> IsActiveAsync(string targetId)
    {
        var active = await Grains.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics();
        return active.Any(grain => grain.GrainId == Grains.GetGrain<IHeartGrain>(targetId).GetGrainId());
    }

    public Task UntilQueuedAsync(int depth) => UntilAsync(() => Task.FromResult(Writer.Depth == depth));

    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        while (!await condition()) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
    }

    /// <summary>Checks the target's log and what is read of it, by grain and ledger, against each other; returns the log.</summary>
    public async Task<HeartEvent[]> ShouldBeExactAsync(string targetId)
    {
        var log = await ShouldBeExactOfLogAsync(targetId);
        var state = await Target(targetId).ReadAsync();
        (state.Outcome, state.Count, state.Version).ShouldBe((HeartOutcome.Committed, CountOf(log), log.Length));
        return log;
    }

    /// <summary>The same without the grain, which answers for another target where this one was moved.</summary>
    public async Task<HeartEvent[]> ShouldBeExactOfLogAsync(string targetId)
    {
        var target = Keys.OfTarget(targetId);
        var log = Ledger.LogOf(target).OrderBy(row => row.Version).ToArray();
        log.Select(row => row.Version).ShouldBe(Enumerable.Range(1, log.Length).Select(version => (long)version));
        foreach (var ofUser in log.GroupBy(row => row.UserId))
        {
            var expected = HeartEventKind.Given;
            foreach (var row in ofUser)
            {
                row.Kind.ShouldBe(expected, $"{row.UserId} at version {row.Version}");
                row.Heart.ShouldBe(Keys.OfHeart(target, row.UserId));
                expected = expected == HeartEventKind.Given ? HeartEventKind.Withdrawn : HeartEventKind.Given;
            }
        }

        var snapshot = await Ledger.LoadAsync(target, 100_000, CancellationToken.None);
        HeartSet.From(snapshot, 100_000).Count.ShouldBe(CountOf(log));
        return log;
    }

    private static int CountOf(HeartEvent[] log) => log.Sum(row => row.Kind == HeartEventKind.Given ? 1 : -1);

    /// <summary>Stops as on SIGTERM.</summary>
    public Task StopAsync() => _stopping ??= _host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Ledger.OnAppend = null;
        Ledger.OnRead = null;
        await StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}

/// <summary>Calls to one target.</summary>
internal readonly record struct HeartTarget(IHeartGrain Grain)
{
    public Task<HeartReceipt> GiveAsync(string userId) => GiveUntilAsync(userId, TestContext.Current.CancellationToken);

    public Task<HeartReceipt> GiveUntilAsync(string userId, CancellationToken givesUp) => Grain.GiveAsync(userId, null, givesUp).AsTask();

    public Task<HeartReceipt> WithdrawAsync(string userId) => Grain.WithdrawAsync(userId, null, TestContext.Current.CancellationToken).AsTask();

    public Task<OpeningReceipt> SetOpeningAsync(long opening) => Grain.SetOpeningAsync(opening, "imported", new HeartOrigin("key:operator"), TestContext.Current.CancellationToken).AsTask();

    public Task<HeartState> ReadAsync(string? userId = null) => Grain.ReadAsync(userId, TestContext.Current.CancellationToken).AsTask();
}
