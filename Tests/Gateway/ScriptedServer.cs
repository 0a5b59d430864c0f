using System.Reflection;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.RateLimiting;
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

    private ScriptedServer(WebApplication app, ScriptedGrains grains, ScriptedQuota quota)
    {
        (_app, Grains, Quota) = (app, grains, quota);
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Client { get; }

    public ScriptedGrains Grains { get; }

    public ScriptedQuota Quota { get; }

    public static async Task<ScriptedServer> StartAsync(params (string Key, string Value)[] resilience)
    {
        var grains = new ScriptedGrains();
        var quota = new ScriptedQuota();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(resilience.Select(
            setting => KeyValuePair.Create(ResilienceOptions.Section + ":" + setting.Key, (string?)setting.Value)));
        builder.Services.AddHeartCalls();
        builder.Services.AddSingleton<IQuota>(quota);
        builder.Services.AddSingleton(GrainFactoryProxy.Of(grains));
        var app = builder.Build();
        app.UseProblems();
        app.MapHearts();
        await app.StartAsync();
        return new ScriptedServer(app, grains, quota);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>A quota that answers as told.</summary>
internal sealed class ScriptedQuota : IQuota
{
    public RateLimitPolicy Policy { get; set; } = new(60, 1);

    public Func<string, ValueTask<RateLimitDecision>> Acquire { get; set; } = static _ => new(new RateLimitDecision(true, 10, 0));

    public ValueTask<RateLimitDecision> AcquireAsync(string userId, CancellationToken cancellationToken) => Acquire(userId);
}

/// <summary>What every grain does when called; calls are counted.</summary>
internal sealed class ScriptedGrains
{
    private int _calls;

    public static HeartReceipt Committed { get; } = new(HeartOutcome.Committed, true, new HeartId(1, 2), 1, 1, 1_718_446_953_123_456);

    public Func<int, CancellationToken, Task<HeartReceipt>> Write { get; set; } = static (_, _) => Task.FromResult(Committed);

    public Func<int, CancellationToken, Task<HeartState>> Read { get; set; } =
        static (_, _) => Task.FromResult(new HeartState(HeartOutcome.Committed, 1, 1, null));

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
        targetMethod!.IsGenericMethod ? new Lists(_grains) : new Heart(_grains);

    private sealed class Heart(ScriptedGrains grains) : IHeartGrain
    {
        public ValueTask<HeartReceipt> GiveAsync(string userId, CancellationToken cancellationToken = default) => new(grains.Write(grains.Count(), cancellationToken));

        public ValueTask<HeartReceipt> WithdrawAsync(string userId, CancellationToken cancellationToken = default) => GiveAsync(userId, cancellationToken);

        public ValueTask<HeartState> ReadAsync(string? userId, CancellationToken cancellationToken = default) => new(grains.Read(grains.Count(), cancellationToken));
    }

    private sealed class Lists(ScriptedGrains grains) : IHeartListGrain
    {
        public async ValueTask<HeartUsers> UsersAsync(string targetId, long before, int limit, CancellationToken cancellationToken = default) =>
            new((await grains.Read(grains.Count(), cancellationToken)).Outcome == HeartOutcome.Committed, [], 1);

        public async ValueTask<HeartTop> TopAsync(int limit, CancellationToken cancellationToken = default) =>
            new((await grains.Read(grains.Count(), cancellationToken)).Outcome == HeartOutcome.Committed, []);
    }
}
