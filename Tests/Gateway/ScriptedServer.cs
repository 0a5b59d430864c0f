using System.Reflection;
using HeartGrains.Gateway.Buttons;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Embed;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Gateway.Sites;
using HeartGrains.Hearts;
using HeartGrains.Live;
using HeartGrains.RateLimiting;
using HeartGrains.Resilience;
using HeartGrains.Tests.Infrastructure;
using HeartGrains.Tests.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace HeartGrains.Tests.Gateway;

/// <summary>The routes over real HTTP, with grains and a quota that do what a test says.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ScriptedServer(WebApplication app, ScriptedGrains grains, LogLines log)
    {
        (_app, Grains, Log) = (app, grains, log);
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Client { get; }

    public ScriptedGrains Grains { get; }

    public LogLines Log { get; }

    public Breakers Breakers => _app.Services.GetRequiredService<Breakers>();

    public static Task<ScriptedServer> StartAsync(params (string Key, string Value)[] settings) => StartAsync(new ScriptedGrains(), settings);

    public static async Task<ScriptedServer> StartAsync(ScriptedGrains grains, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var log = new LogLines();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(settings.Select(
            setting => KeyValuePair.Create("HeartGrains:" + setting.Key, (string?)setting.Value)));
        builder.Services.AddHeartCalls().AddSites().AddIdentity().AddLocalLimits().AddOverloadGuard().AddButtons().AddEmbed();
        builder.Services.AddSingleton(GrainFactoryProxy.Of(grains));
        builder.Services.AddSingleton(provider => UnseatedQuota.Over(provider, grains.Policy));
        var app = builder.Build();
        app.UseRequestDiagnostics();
        app.UseProblems();
        app.UseSites();
        app.UseIdentity();
        app.MapHearts();
        app.MapButtons();
        app.MapEmbed();
        await app.StartAsync();
        return new ScriptedServer(app, grains, log);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>A gateway's quota without a seat: it asks the grains for every call.</summary>
internal static class UnseatedQuota
{
    public static Quota Over(IServiceProvider services, QuotaPolicy policy)
    {
        var quota = ActivatorUtilities.CreateInstance<Quota>(services, new QuotaSlices(1_000, TimeProvider.System));
        quota.Set = Policies.Prepared(TimeProvider.System, -1, policy);
        return quota;
    }
}

/// <summary>What every grain does when called; calls are counted.</summary>
internal sealed class ScriptedGrains
{
    private int _calls;

    public static HeartReceipt Committed { get; } = new(HeartOutcome.Committed, true, new HeartId(1, 2), 1, 1, 1_718_446_953_123_456);

    public Func<int, CancellationToken, Task<HeartReceipt>> Write { get; set; } = static (_, _) => Task.FromResult(Committed);

    public Func<int, CancellationToken, Task<HeartState>> Read { get; set; } =
        static (_, _) => Task.FromResult(new HeartState(HeartOutcome.Committed, 1, 1, null));

    public Func<long, CancellationToken, Task<OpeningReceipt>> Open { get; set; } =
        static (_, _) => Task.FromResult(new OpeningReceipt(HeartOutcome.Committed, true));

    /// <summary>What a user's quota says.</summary>
    public Func<CancellationToken, Task<QuotaDecision>> Acquire { get; set; } =
        static _ => Task.FromResult(new QuotaDecision(true, [new QuotaVerdict(true, 59, 0, 1_000)], new QuotaReceipt(1, 1)));

    /// <summary>The policy it says it under.</summary>
    public QuotaPolicy Policy { get; init; } = Policies.User;

    /// <summary>How often tokens came back.</summary>
    public int Returns { get; set; }

    public int Calls => _calls;

    public int Count() => Interlocked.Increment(ref _calls);

    public static HeartReceipt Refused(HeartOutcome outcome) => new(outcome, false, default, 0, 0, 0);

    /// <summary>An exception as Orleans makes it: its constructors are not public.</summary>
    public static OrleansMessageRejectionException Rejection(string message) =>
        (OrleansMessageRejectionException)Activator.CreateInstance(
            typeof(OrleansMessageRejectionException), BindingFlags.Instance | BindingFlags.NonPublic, null, [message], null)!;
}

/// <summary>Hands out grains that follow a script. Private nested types are out of sight of Orleans, which would host them.</summary>
public class GrainFactoryProxy : DispatchProxy
{
    private ScriptedGrains _grains = null!;

    internal static IGrainFactory Of(ScriptedGrains grains)
    {
        var factory = Create<IGrainFactory, GrainFactoryProxy>();
        ((GrainFactoryProxy)(object)factory)._grains = grains;
        return factory;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.IsGenericMethod ? new Lists(_grains)
        : args![0] is Type type && type == typeof(IRateLimitGrain) ? new RateLimit(_grains)
        : new Heart(_grains);

    private sealed class Heart(ScriptedGrains grains) : IHeartGrain
    {
        public ValueTask<HeartReceipt> GiveAsync(string userId, HeartOrigin? origin = null, CancellationToken cancellationToken = default) => new(grains.Write(grains.Count(), cancellationToken));

        public ValueTask<HeartReceipt> WithdrawAsync(string userId, HeartOrigin? origin = null, CancellationToken cancellationToken = default) => GiveAsync(userId, origin, cancellationToken);

        public ValueTask<HeartReceipt> MergeAsync(string fromUserId, string toUserId, HeartOrigin origin, CancellationToken cancellationToken = default) => GiveAsync(toUserId, origin, cancellationToken);

        public ValueTask<HeartState> ReadAsync(string? userId, CancellationToken cancellationToken = default) => new(grains.Read(grains.Count(), cancellationToken));

        public ValueTask<HeartState> WatchAsync(ILiveObserver observer, CancellationToken cancellationToken = default) => ReadAsync(null, cancellationToken);

        public ValueTask UnwatchAsync(ILiveObserver observer, CancellationToken cancellationToken = default) => default;

        public ValueTask<OpeningReceipt> SetOpeningAsync(long opening, string reason, HeartOrigin origin, CancellationToken cancellationToken = default) => new(grains.Open(opening, cancellationToken));
    }

    private sealed class RateLimit(ScriptedGrains grains) : IRateLimitGrain
    {
        public ValueTask<QuotaDecision> AcquireAsync(QuotaClaim[] claims, CancellationToken cancellationToken = default) => new(grains.Acquire(cancellationToken));

        public Task ReturnAsync(QuotaClaim[] claims, QuotaReceipt receipt)
        {
            grains.Returns++;
            return Task.CompletedTask;
        }

        public ValueTask<QuotaVerdict[]> ReadAsync(string[] policies, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask ResetAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();
    }

    private sealed class Lists(ScriptedGrains grains) : IHeartListGrain
    {
        public async ValueTask<HeartUsers> UsersAsync(string targetId, long before, int limit, CancellationToken cancellationToken = default) =>
            new((await grains.Read(grains.Count(), cancellationToken)).Outcome == HeartOutcome.Committed, [], 1);

        public async ValueTask<HeartTop> TopAsync(int limit, CancellationToken cancellationToken = default) =>
            new((await grains.Read(grains.Count(), cancellationToken)).Outcome == HeartOutcome.Committed, []);
    }
}
