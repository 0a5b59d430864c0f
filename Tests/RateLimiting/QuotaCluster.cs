using HeartGrains.Hosting;
using HeartGrains.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Hosting;
using Orleans.Storage;
using Orleans.TestingHost;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>A silo in this process whose grains run on a fake clock and keep their state in <see cref="Store"/>.</summary>
public sealed class QuotaCluster : IAsyncLifetime
{
    private InProcessTestCluster? _cluster;

    internal QuotaStore Store { get; } = new();

    internal FakeTimeProvider Time { get; } = new();

    internal IGrainFactory Grains => _cluster!.Client;

    internal static TimeSpan MaxClockSkew { get; } = TimeSpan.FromSeconds(10);

    internal static QuotaPolicy Target { get; } = RateLimiting.Policies.User with { Name = "target", Dimension = QuotaDimension.Target, Limit = 40 };

    /// <summary>The policies in force: a user's 60, a brisk one that is not stored, a window, and one that only watches.</summary>
    internal static QuotaPolicy[] Policies { get; } =
    [
        RateLimiting.Policies.User,
        RateLimiting.Policies.User with { Name = "brisk", Limit = 10, Window = TimeSpan.FromSeconds(1) },
        RateLimiting.Policies.User with { Name = "window", Algorithm = QuotaAlgorithm.SlidingWindow, Segments = 6, Limit = 30 },
        RateLimiting.Policies.User with { Name = "watching", Limit = 4, IsShadow = true },
        Target,
    ];

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddRateLimiting(spareSeats: 1);
            silo.Services.Replace(ServiceDescriptor.Singleton(new LiveSettings<QuotaSettings>(new QuotaSettings(Policies, 1_000, MaxClockSkew))));
            silo.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Time));
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
            silo.Services.AddKeyedSingleton<IGrainStorage>(RateLimitHosting.StorageName, Store);
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    /// <summary>Moves the clock in steps that the silo's lease of the number of seats survives.</summary>
    internal async Task AdvanceAsync(TimeSpan time)
    {
        var grain = Grains.GetGrain<IRateLimitGrain>(QuotaKey.Of(QuotaDimension.User, "clock"));
        for (var step = TimeSpan.FromSeconds(4); time > TimeSpan.Zero; time -= step)
        {
            Time.Advance(time < step ? time : step);
            await EventuallyAsync(() => grain.ReadAsync(["user"]).AsTask());
        }
    }

    /// <summary>Waits until the silo knows the number of seats; it asks again as the clock moves on.</summary>
    internal async Task EventuallyAsync(Func<Task> call)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            try
            {
                await call();
                return;
            }
            catch (InvalidOperationException) when (!limit.IsCancellationRequested)
            {
                Time.Advance(TimeSpan.FromMilliseconds(50));
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            }
        }
    }

    internal Task DeactivateAsync(IAddressable grain) => _cluster!.DeactivateAsync(grain);

    public async ValueTask DisposeAsync() => await _cluster!.DisposeAsync();
}
